import { afterAll, expect, test } from 'bun:test';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { replaceFile, writeJson, writeSafely } from '../../src/base/files.ts';

const dir = await mkdtemp(join(tmpdir(), 'files-'));
afterAll(() => rm(dir, { recursive: true }));
const path = join(dir, 'file');

test('a file is written from text, from parts and from a value, over what was there', async () => {
  await writeSafely(path, 'ü');
  expect(await readFile(path, 'utf8')).toBe('ü');
  await writeSafely(path, [Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3)]);
  expect([...(await readFile(path))]).toEqual([1, 2, 3]);
  await writeJson(path, { a: [1] });
  expect(await readFile(path, 'utf8')).toBe('{\n "a": [\n  1\n ]\n}\n');
});

test('where writing fails, the earlier file stays and nothing else is left', async () => {
  await writeSafely(path, 'earlier');
  const failing = replaceFile(path, async (temporary) => {
    await Bun.write(temporary, 'half');
    throw new Error('the disk is full');
  });
  await expect(failing).rejects.toThrow('the disk is full');
  expect(await readFile(path, 'utf8')).toBe('earlier');
  expect(await readdir(dir)).toEqual(['file']);
  await expect(writeSafely(join(dir, 'no', 'folder'), 'x')).rejects.toThrow('ENOENT');
});
