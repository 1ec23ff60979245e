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
import {
  type Bytes,
  dict,
  floats,
  global,
  int,
  join,
  list,
  none,
  orderedDict,
  pickle,
  reduce,
  string,
  tensor,
  text,
  torchZip,
  tuple,
} from './torch-files.ts';

const megabyte = 2 ** 20;

let dir = '';
let file = '';
const originals: Bytes[] = [];
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'fuzz-'));
  file = path.join(dir, 'damaged.pt');
  const kinds = [
    'globals.ckpt',
    'globals4.pt',
    'globals-legacy.pt',
    'module.pt',
    'weight-norm.pt',
    'beside-complex.pt',
  ];
  for (const name of [
    ...['zip.pt', 'legacy.pt', 'protocol4.pt', 'training.pt'],
    ...kinds.map((kind) => `kinds/${kind}`),
  ]) {
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
    for (const [name, values] of weights)
      expect(values.length).toBe((shapes.get(name) as number[]).reduce((product, n) => product * n, 1));
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
  for (let trial = 0; trial < 1500; trial++) {
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
}, 300_000);

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
}, 300_000);

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
}, 300_000);

test('calls of any global are refused, or make nothing that is a tensor', async () => {
  const random = new Random(seed, 'globals');
  const pick = <T>(values: readonly T[]) => values[random.integer(values.length)] as T;
  const modules = [
    'os',
    'builtins',
    'numpy',
    'torch',
    'torch._utils',
    'torch._tensor',
    '__main__',
    'functools',
    'collections',
    'operator',
    '_codecs',
    'numpy.core.multiarray',
  ];
  const names = [
    'system',
    'eval',
    'getattr',
    'partial',
    'OrderedDict',
    'Counter',
    '_rebuild_tensor_v2',
    '_rebuild_from_type_v2',
    '_rebuild_parameter',
    '_rebuild_qtensor',
    'scalar',
    'dtype',
    'encode',
    'FloatStorage',
    'float32',
    'Size',
    '__proto__',
    'constructor',
  ];
  const value = (depth: number): Bytes => {
    const kind = random.integer(depth > 0 ? 7 : 4);
    if (kind === 0) return int(random.integer(5) - 1);
    if (kind === 1) return string(pick(names));
    if (kind === 2) return none;
    if (kind === 3) return global(pick(modules), pick(names));
    const parts = Array.from({ length: random.integer(5) }, () => value(depth - 1));
    if (kind === 4) return tuple(...parts);
    if (kind === 5) return list(...parts);
    const made = reduce(global(pick(modules), pick(names)), ...parts);
    return random.integer(2) ? made : join(made, value(depth - 1), text('b'));
  };
  const net = { 'a.weight': tensor({ size: 2, shape: [2], strides: [1] }) };
  let read = 0;
  for (let trial = 0; trial < 2000; trial++) {
    const root = dict({ model: orderedDict(net), x: value(4) });
    if (!(await check(torchZip(root, { '0': floats(1, 2) }), `globals ${trial}`))) read++;
  }
  expect(read).toBeGreaterThan(200);
}, 300_000);
