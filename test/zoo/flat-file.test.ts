import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../src/base/random.ts';
import { type FlatFile, gather, joinParts, readFlat } from '../../src/zoo/flat-file.ts';
import { testSeed as seed } from '../seed.ts';

const numbers = 200_000;
const flat = new Random(seed, 'flat').normals(numbers);

let dir = '';
/** The numbers together behind a few bytes of something else, and in three parts of which the last comes first. */
let whole: FlatFile;
let parted: FlatFile;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'flat-file-'));
  const bytes = (from: number, to: number) => new Uint8Array(flat.slice(from, to).buffer);
  await Bun.write(join(dir, 'whole'), Buffer.concat([new Uint8Array(24), bytes(0, numbers)]));
  whole = { path: join(dir, 'whole'), numbers, parts: [{ start: 0, byte: 24 }] };
  const lengths = [1500, 70_001, numbers - 71_501] as const;
  const pieces = [bytes(71_501, numbers), new Uint8Array(8), bytes(0, 1500), bytes(1500, 71_501)];
  await Bun.write(join(dir, 'parted'), Buffer.concat(pieces));
  const first = 4 * lengths[2] + 8;
  parted = {
    path: join(dir, 'parted'),
    ...joinParts([
      { byte: first, numbers: 700 },
      { byte: first + 4 * 700, numbers: 800 },
      { byte: first + 4 * 1500, numbers: lengths[1] },
      { byte: 0, numbers: lengths[2] },
    ]),
  };
});
afterAll(() => rm(dir, { recursive: true }));

describe('a flat vector in a file', () => {
  test('has neighbouring tensors as one part', () => {
    const byte = parted.parts[0]!.byte;
    expect(parted).toMatchObject({
      numbers,
      parts: [
        { start: 0, byte },
        { start: 71_501, byte: 0 },
      ],
    });
  });

  test('is read whole, and at any places in any order', () => {
    const random = new Random(seed, 'places');
    for (const file of [whole, parted]) {
      expect(readFlat(file)).toEqual(flat);
      for (const count of [1, 30, 5000]) {
        const places = Int32Array.from({ length: count }, () => random.integer(numbers + 1) - 1);
        places[count - 1] = numbers - 1;
        const out = new Float32Array(count).fill(99);
        gather(file, places, out);
        expect(out).toEqual(Float32Array.from(places, (place) => (place < 0 ? 0 : flat[place]!)));
      }
    }
  });

  test.if(process.platform === 'linux')('is read where the places are, not whole', () => {
    const readSoFar = () => Number(/rchar: (\d+)/.exec(readFileSync('/proc/thread-self/io', 'utf8'))?.[1]);
    const places = Int32Array.of(5, 100_000, 100_900, 150_000);
    const before = readSoFar();
    gather(whole, places, new Float32Array(4));
    // Four pages of 4 KiB, and what reading the counter itself takes.
    expect(readSoFar() - before).toBeLessThan(30_000);
  });

  test('that is gone, cut short or damaged is an error that names the file, and leaves none open', async () => {
    const openFiles = async () => (await readdir('/proc/self/fd').catch(() => [])).length;
    const before = await openFiles();
    const at = (file: FlatFile, ...places: number[]) =>
      gather(file, Int32Array.from(places), new Float32Array(places.length));
    for (let i = 0; i < 50; i++) at(whole, i, 3000 * i);
    const gone = { ...whole, path: join(dir, 'gone') };
    expect(() => at(gone, 1)).toThrow(`ENOENT: no such file or directory, open '${gone.path}'`);

    const short = { ...whole, path: join(dir, 'short') };
    await Bun.write(short.path, Bun.file(whole.path));
    await truncate(short.path, 24 + 4 * 150_000);
    at(short, 0, 100_000);
    const end = `${short.path}: the file is damaged: it ends before byte ${24 + 4 * numbers}. Train or import the zoo again`;
    expect(() => at(short, numbers - 1)).toThrow(end);
    expect(() => readFlat(short)).toThrow(end);

    const wrong = { ...whole, path: join(dir, 'wrong') };
    const bytes = await Bun.file(whole.path).bytes();
    bytes.set(new Uint8Array(Float32Array.of(Number.NaN).buffer), 24 + 4 * 777);
    await Bun.write(wrong.path, bytes);
    at(wrong, 776, 778);
    expect(() => at(wrong, 777)).toThrow(
      `${wrong.path}: the file is damaged: it holds NaN among the weights of a network. Train or import the zoo again`,
    );
    expect(await openFiles()).toBe(before);
  });
});
