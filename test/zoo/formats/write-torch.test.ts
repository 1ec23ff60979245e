import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { Random } from '../../../src/base/random.ts';
import { readCheckpoint } from '../../../src/zoo/formats/checkpoint.ts';
import { writeTorch } from '../../../src/zoo/formats/write-torch.ts';
import { testSeed } from '../../seed.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'write-torch-'));
});
afterAll(() => rm(dir, { recursive: true }));

const random = new Random(testSeed, 'test');
const tensors = [
  { name: 'z.weight', shape: [3, 5, 1, 2], data: random.normals(30) },
  { name: 'ä.running_mean', shape: [7], data: random.normals(7) },
  { name: 'a.num_batches_tracked', shape: [], data: BigInt64Array.of(12n) },
  { name: 'empty', shape: [0, 4], data: new Float32Array(0) },
  { name: 'b', shape: [70, 1000], data: random.normals(70_000) },
];

test('a state dict comes back as it was, in its order', async () => {
  const file = path.join(dir, 'net.pt');
  await writeTorch(file, tensors);
  const { shapes, weights } = await readCheckpoint(file);
  expect([...shapes]).toEqual(tensors.map(({ name, shape }) => [name, shape]));
  for (const { name, data } of tensors) expect(weights.get(name)).toEqual(Float32Array.from(data, Number));
  expect(await readdir(dir)).toEqual(['net.pt']);
});

test('every member begins at a multiple of 64 bytes, as a memory map wants it, and has its checksum', async () => {
  const file = path.join(dir, 'net.pt');
  await writeTorch(file, tensors);
  const bytes = await readFile(file);
  const names: string[] = [];
  for (let at = 0; bytes.readUInt32LE(at) === 0x04034b50; ) {
    const size = bytes.readUInt32LE(at + 18);
    const name = bytes.subarray(at + 30, at + 30 + bytes.readUInt16LE(at + 26)).toString();
    const start = at + 30 + bytes.readUInt16LE(at + 26) + bytes.readUInt16LE(at + 28);
    expect(start % 64).toBe(0);
    expect(crc32(bytes.subarray(start, start + size))).toBe(bytes.readUInt32LE(at + 14));
    names.push(name);
    at = start + size;
  }
  expect(names).toEqual(
    ['data.pkl', 'byteorder', 'data/0', 'data/1', 'data/2', 'data/3', 'data/4', 'version'].map(
      (name) => `archive/${name}`,
    ),
  );
});

test('the same file by two writers, and a shape that does not fit is an error', async () => {
  await writeTorch(path.join(dir, 'a.pt'), tensors);
  await writeTorch(path.join(dir, 'b.pt'), tensors);
  expect(await readFile(path.join(dir, 'a.pt'))).toEqual(await readFile(path.join(dir, 'b.pt')));
  await expect(
    writeTorch(path.join(dir, 'c.pt'), [{ name: 'w', shape: [2], data: new Float32Array(3) }]),
  ).rejects.toThrow('w has 3 numbers, its shape [2] needs 2');
});
