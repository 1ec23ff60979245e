import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../src/base/random.ts';
import { openSafetensors, writeSafetensors } from '../../src/base/safetensors.ts';
import { testSeed } from '../seed.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'safetensors-'));
});
afterAll(() => rm(dir, { recursive: true }));

/** A file with this header and data, as bytes. */
function bytesOf(header: unknown, data: Uint8Array): Uint8Array {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, data]);
}

async function errorOf(header: unknown, data = new Uint8Array(16)): Promise<string> {
  const path = join(dir, 'bad.safetensors');
  await Bun.write(path, bytesOf(header, data));
  return openSafetensors(path).then(
    async (file) => {
      await file.close();
      return 'no error';
    },
    (error: Error) => error.message.replace(path, 'FILE'),
  );
}

describe('safetensors', () => {
  test('reads back every type, odd sizes and empty tensors, one by one', async () => {
    const random = new Random(testSeed, 'test');
    const tensors = [
      { name: 'a/weight', shape: [3, 5], data: random.normals(15) },
      { name: 'b', shape: [7], data: Uint8Array.from({ length: 7 }, () => random.integer(256)) },
      { name: 'c', shape: [1, 2], data: Float64Array.of(Math.PI, -0) },
      { name: 'd', shape: [2], data: Int32Array.of(-5, 2 ** 31 - 1) },
      { name: 'e', shape: [0, 4], data: new Float32Array(0) },
      { name: 'f', shape: [1], data: BigInt64Array.of(-9n) },
    ];
    const path = join(dir, 'all.safetensors');
    await writeSafetensors(path, tensors, { note: 'ä' });
    const file = await openSafetensors(path);
    expect(file.metadata).toEqual({ note: 'ä' });
    expect(file.names).toEqual(tensors.map(({ name }) => name));
    for (const { name, shape, data } of tensors.toReversed()) {
      expect(file.info(name).shape).toEqual(shape);
      expect(await file.read(name)).toEqual(data as Float32Array);
    }
    await expect(file.readFloats('d')).rejects.toThrow('tensor d is I32, expected F32');
    expect(() => file.info('nothing')).toThrow(`${path}: no tensor nothing`);
    await file.close();
    expect(await readdir(dir)).toEqual(['all.safetensors']);
  });

  test('refuses to write what cannot be read back', async () => {
    const path = join(dir, 'never.safetensors');
    const a = { name: 'a', shape: [2], data: new Float32Array(3) };
    await expect(writeSafetensors(path, [a])).rejects.toThrow('a has 3 numbers, its shape [2] needs 2');
    const b = { name: 'b', shape: [1], data: new Float32Array(1) };
    await expect(writeSafetensors(path, [b, b])).rejects.toThrow('two tensors are named b');
  });

  test('says what is wrong with a damaged file', async () => {
    const tensor = { dtype: 'F32', shape: [4], data_offsets: [0, 16] };
    expect(await errorOf({ a: tensor })).toBe('no error');
    expect(await errorOf({ a: tensor }, new Uint8Array(15))).toContain(
      'ends at byte 16 of 15: the file is cut short',
    );
    expect(await errorOf({ a: { ...tensor, dtype: 'F8' } })).toContain(
      'has dtype "F8"; known are F64, F32, F16, BF16, BOOL, F8_E4M3, F8_E5M2, F8_E4M3FNUZ, F8_E5M2FNUZ, I64, I32, I16, I8, U64, U32, U16, U8',
    );
    expect(await errorOf({ a: { ...tensor, shape: [5] } })).toContain(
      'needs 20 bytes, its range [0, 16) has 16',
    );
    expect(await errorOf({ a: { ...tensor, shape: [-4] } })).toContain('tensor a has no valid shape');
    expect(await errorOf({ a: { ...tensor, data_offsets: [0] } })).toContain(
      'tensor a has no valid byte range',
    );
    expect(await errorOf({ a: tensor, b: { ...tensor, shape: [2], data_offsets: [8, 16] } })).toContain(
      'two tensors overlap',
    );
    expect(await errorOf({ a: null })).toContain('tensor a has dtype');
    expect(await errorOf('[1]')).toBe('FILE: the header is no object');
    expect(await errorOf('{{')).toContain('the header is not JSON');
  });

  test('says so when a file is cut short anywhere', async () => {
    const path = join(dir, 'cut.safetensors');
    await writeSafetensors(path, [{ name: 'a', shape: [9], data: new Float32Array(9) }]);
    const { size } = Bun.file(path);
    for (const length of [0, 5, 8, 20, size - 1]) {
      await writeSafetensors(path, [{ name: 'a', shape: [9], data: new Float32Array(9) }]);
      await truncate(path, length);
      await expect(openSafetensors(path)).rejects.toThrow(/shorter than 8 bytes|cut short/);
    }
  });
});
