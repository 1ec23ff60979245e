/** Small files that ask for much memory or time: what a file may build is bounded in total by its size. */
import { afterAll, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  type Bytes,
  dict,
  floats,
  global,
  int,
  join,
  orderedDict,
  reduce,
  string,
  tensor,
  text,
  torchLegacy,
  torchZip,
  tuple,
} from './torch-files.ts';

const dir = mkdtempSync(path.join(tmpdir(), 'bounds-'));
afterAll(() => rmSync(dir, { recursive: true }));
// Processes take long to start on a busy machine; what they may use is bounded below.
setDefaultTimeout(60_000);

const latin1 = (codes: string): Bytes => new Uint8Array(Buffer.from(codes, 'latin1'));
const megabyte = 2 ** 20;
const program = path.join(import.meta.dir, 'read-measured.ts');

/** What comes of reading a file, in less than this memory and time. */
async function outcomeOf(bytes: Bytes, limit: { megabytes: number; seconds: number }): Promise<string> {
  const file = path.join(dir, 'file');
  await Bun.write(file, bytes);
  const child = Bun.spawn([process.execPath, program, file], { stdout: 'pipe' });
  const { outcome, ms, bytes: memory } = JSON.parse(await child.stdout.text());
  await child.exited;
  expect(ms).toBeLessThan(1000 * limit.seconds);
  expect(memory).toBeLessThan(limit.megabytes * megabyte);
  return outcome.replace(file, 'FILE');
}

const net = orderedDict({ 'a.weight': tensor({ size: 2, shape: [2, 1], strides: [1, 1] }) });
const beside = (value: Bytes) => torchZip(dict({ model: net, value }), { '0': floats(1, 2) });
const exhausted =
  'FILE: the pickle builds far more than a file of its size holds: it is damaged, or made to exhaust memory';

/** 2 to this power of texts, in as many pairs of bytes. */
const pairs = join(string('x'), ...Array.from({ length: 600 }, () => Uint8Array.of(0x32, 0x86)));

test('tuples within tuples are not written out', async () => {
  for (const call of [
    reduce(global('torch', 'device'), pairs),
    reduce(global('_codecs', 'encode'), pairs, string('latin1')),
    reduce(global('builtins', 'getattr'), global('torch', 'Tensor'), pairs),
    reduce(global('torch', 'Size'), pairs),
  ])
    expect(await outcomeOf(beside(call), { megabytes: 50, seconds: 1 })).toBe('a.weight');
});

test('copies of a list are paid for', async () => {
  // A list of 100,000 pairs (or numbers), then many copies of it: memoized as 0, recalled by h.
  const items = (item: Bytes) =>
    join(text(']q\x00('), ...Array.from({ length: 100_000 }, () => item), text('e0'));
  const copies = (callable: Bytes) =>
    join(text('('), ...Array.from({ length: 5000 }, () => join(callable, latin1('h\x00\x85R'))), text('t'));
  const pair = join(int(1), latin1('N\x86'));
  for (const [item, callable] of [
    [pair, global('collections', 'OrderedDict')],
    [int(7), global('builtins', 'set')],
  ] as const) {
    const value = join(items(item), copies(callable));
    expect(await outcomeOf(beside(value), { megabytes: 150, seconds: 2 })).toBe(exhausted);
  }
});

test('empty containers, kept values and texts are paid for', async () => {
  const many = (code: string) => join(text('('), Buffer.alloc(4 * megabyte, code, 'latin1'), text('t'));
  for (const code of ['}', ']', '\x8f'])
    expect(await outcomeOf(beside(many(code)), { megabytes: 400, seconds: 4 })).toBe(exhausted);
  const far = join(text('Nr'), new Uint8Array(Uint32Array.of(4_000_000_000).buffer));
  expect(await outcomeOf(beside(far), { megabytes: 50, seconds: 1 })).toBe(
    'FILE: the pickle keeps value 4000000000 after 0 others',
  );
}, 300_000);

test('modules within modules are not followed forever', async () => {
  // Each level holds the one before twice.
  const module = (inner: Bytes) =>
    join(reduce(global('__main__', 'Net')), dict({ _modules: inner }), text('b'));
  let deep = module(text('}'));
  for (let level = 0; level < 40; level++) {
    const twice = join(
      text('}('),
      string('a'),
      deep,
      Uint8Array.of(0x71, level),
      string('b'),
      text('h'),
      Uint8Array.of(level),
      text('u'),
    );
    deep = module(twice);
  }
  expect(await outcomeOf(torchZip(deep, {}), { megabytes: 100, seconds: 2 })).toBe(
    'FILE: the checkpoint holds a module within itself',
  );
});

test('a function that makes itself makes nothing', async () => {
  const rebuild = global('torch._tensor', '_rebuild_from_type_v2');
  const value = reduce(
    rebuild,
    rebuild,
    global('torch', 'Tensor'),
    tuple(rebuild, int(1), tuple(), int(1)),
    int(1),
  );
  expect(await outcomeOf(beside(value), { megabytes: 50, seconds: 1 })).toBe('a.weight');
});

test('a long history is read', async () => {
  const history = join(
    text(']('),
    ...Array.from({ length: 600_000 }, () => join(text('G'), new Uint8Array(8))),
    text('e'),
  );
  expect(await outcomeOf(beside(history), { megabytes: 250, seconds: 4 })).toBe('a.weight');
  const legacy = torchLegacy(dict({ model: net, history }), [['0', 2, floats(1, 2)]]);
  expect(await outcomeOf(legacy, { megabytes: 250, seconds: 6 })).toBe('a.weight');
}, 300_000);

test('a header of safetensors is no larger than its file needs', async () => {
  const entries = Array.from(
    { length: 1_100_000 },
    (_, i) => `"${i}":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`,
  );
  const header = text(`{${entries.join()}}`);
  const length = new Uint8Array(BigUint64Array.of(BigInt(header.length)).buffer);
  expect(header.length).toBeGreaterThan(50 * megabyte);
  expect(await outcomeOf(join(length, header), { megabytes: 50, seconds: 1 })).toBe(
    `FILE: a header of ${header.length} bytes is more than a file of ${header.length + 8} needs: it is damaged, or made to exhaust memory`,
  );
  // As large as may be.
  const small = text(`{${entries.slice(0, 150_000).join()}}`);
  const smaller = new Uint8Array(BigUint64Array.of(BigInt(small.length)).buffer);
  expect(await outcomeOf(join(smaller, small), { megabytes: 400, seconds: 4 })).toContain('FILE: ');
}, 300_000);
