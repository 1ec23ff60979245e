/** Damaged files: always a FormatError with a message or tensors of the right sizes, never a crash, a hang, or much memory. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Random } from '../../../src/base/random.ts';
import { writeSafetensors } from '../../../src/base/safetensors.ts';
import { FormatError } from '../../../src/base/source.ts';
import { readCheckpoint } from '../../../src/zoo/formats/checkpoint.ts';
import { testSeed as seed } from '../../seed.ts';
import { type Bytes, pickle, text, torchZip } from './torch-files.ts';

const megabyte = 2 ** 20;

let dir = '';
let file = '';
const originals: Bytes[] = [];
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'fuzz-'));
  file = path.join(dir, 'damaged.pt');
  for (const name of ['zip.pt', 'legacy.pt', 'protocol4.pt', 'training.pt']) {
    originals.push(await readFile(path.join(import.meta.dir, 'golden', name)));
  }
  const tensors = [
    { name: 'a.weight', shape: [3, 5], data: new Float32Array(15) },
    { name: 'a.bias', shape: [3], data: new Float32Array(3) },
  ];
  await writeSafetensors(file, tensors);
  originals.push(await readFile(file));
});
afterAll(() => rm(dir, { recursive: true }));

/** Reads the bytes as a checkpoint. Throws for what must not happen. Returns whether they were refused. */
async function check(bytes: Bytes, what: string): Promise<boolean> {
  await Bun.write(file, bytes);
  try {
    const { shapes, weights } = await readCheckpoint(file);
    for (const [name, shape] of shapes) {
      expect(weights.get(name)?.length).toBe(shape.reduce((product, n) => product * n, 1));
    }
    return false;
  } catch (error) {
    if (!(error instanceof FormatError)) throw new Error(`${what}: ${(error as Error).stack}`);
    expect(error.message).toStartWith(`${file}: `);
    expect(error.message.length).toBeGreaterThan(file.length + 10);
    return true;
  }
}

test('random damage is an error, or does no harm', async () => {
  const random = new Random(seed, 'fuzz');
  Bun.gc(true);
  const before = process.memoryUsage().rss;
  let refused = 0;
  for (let trial = 0; trial < 3000; trial++) {
    const original = originals[random.integer(originals.length)] as Bytes;
    const bytes = Uint8Array.from(original);
    // Half of the damage is in the pickle, which the first kilobyte or two are.
    const place = () => random.integer(random.integer(2) ? bytes.length : Math.min(1500, bytes.length));
    for (let n = 1 + random.integer(4); n > 0; n--) {
      const at = place();
      const kind = random.integer(3);
      if (kind === 0) bytes[at] = (bytes[at] as number) ^ (1 << random.integer(8));
      else if (kind === 1) bytes[at] = random.integer(2) ? 255 : random.integer(256);
      else bytes.copyWithin(place(), at, at + random.integer(64));
    }
    if (await check(bytes, `trial ${trial}`)) refused++;
    // Or else the garbage of all trials counts, as seldom as it is collected.
    if (trial % 100 === 0) Bun.gc(true);
  }
  expect(refused).toBeGreaterThan(1000);
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * megabyte);
}, 60_000);

test('a file cut short anywhere is an error', async () => {
  for (const original of originals) {
    for (
      let length = 0;
      length < original.length;
      length += length < 400 || length > original.length - 100 ? 1 : 37
    ) {
      expect(await check(original.slice(0, length), `cut at ${length}`)).toBe(true);
    }
  }
}, 60_000);

test('random bytes, alone and as a pickle, are an error', async () => {
  const random = new Random(seed, 'random');
  // The opcodes that are known, so that some way is gone before the error.
  const opcodes = text(
    '.(012NJKMGUTXCB])}ateasuqrhjcQRb\x80\x81\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8f\x90\x91\x93\x94\x95',
  );
  for (let trial = 0; trial < 2000; trial++) {
    const length = random.integer(200);
    const bytes = Uint8Array.from({ length }, () =>
      random.integer(3) ? (opcodes[random.integer(opcodes.length)] as number) : random.integer(256),
    );
    expect(await check(trial % 2 ? bytes : torchZip(pickle(bytes), {}), `random ${trial}`)).toBe(true);
  }
}, 60_000);
