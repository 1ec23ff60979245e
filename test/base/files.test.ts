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

test('the same file written several times at once is one of them, whole', async () => {
  const texts = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(100_000));
  await Promise.all(texts.map((text) => writeSafely(path, text)));
  expect(texts).toContain(await readFile(path, 'utf8'));
  expect(await readdir(dir)).toEqual(['file']);
});
