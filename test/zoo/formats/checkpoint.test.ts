import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Random } from '../../../src/base/random.ts';
import { writeSafetensors } from '../../../src/base/safetensors.ts';
import { FormatError } from '../../../src/base/source.ts';
import { openCheckpoint, readCheckpoint } from '../../../src/zoo/formats/checkpoint.ts';
import { testSeed } from '../../seed.ts';
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
  torchLegacy,
  torchZip,
  tuple,
  zip,
} from './torch-files.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'checkpoints-'));
});
afterAll(() => rm(dir, { recursive: true }));

let files = 0;
async function fileOf(bytes: Bytes | string): Promise<string> {
  const file = path.join(dir, `${files++}.pt`);
  await Bun.write(file, bytes);
  return file;
}

const read = async (bytes: Bytes) => (await readCheckpoint(await fileOf(bytes))).weights;

/** The message, the file's name in it replaced. Fails if there is no error, or one that is not meant for a reader. */
async function errorOf(bytes: Bytes | string): Promise<string> {
  const file = await fileOf(bytes);
  const error = await readCheckpoint(file).then(
    () => new Error('no error'),
    (caught: Error) => caught,
  );
  expect(error).toBeInstanceOf(FormatError);
  return error.message.replace(file, 'FILE');
}

const one = { size: 2, shape: [2], strides: [1] };
const oneZip = (root: Bytes) => torchZip(root, { '0': floats(1, 2) });

describe('golden files of PyTorch 2.15', () => {
  const golden = (name: string) => readCheckpoint(path.join(import.meta.dir, 'golden', name));
  const base = Array.from({ length: 24 }, (_, i) => i / 4 - 2);
  const whole = base.map(Math.trunc);

  test.each(['zip.pt', 'legacy.pt', 'protocol4.pt'])(
    '%s: every format and every kind of view',
    async (name) => {
      const { shapes, weights } = await golden(name);
      const get = (key: string) => [...(weights.get(key) as Float32Array)];
      for (const key of ['float64', 'float32', 'float16', 'bfloat16', 'parameter']) {
        expect(get(key)).toEqual(base);
        expect(shapes.get(key)).toEqual([4, 6]);
      }
      // Numbers, so that -0 and 0 are the same.
      for (const key of ['int64', 'int32', 'int16', 'int8'])
        expect(get(key).every((x, i) => x === whole[i])).toBe(true);
      expect(get('uint8')).toEqual(Array.from({ length: 24 }, (_, i) => 200 + i));
      expect(get('bool')).toEqual(base.map((x) => (x > 0 ? 1 : 0)));
      expect(get('transposed')).toEqual(
        Array.from({ length: 24 }, (_, i) => base[(i % 4) * 6 + Math.floor(i / 4)] as number),
      );
      expect(shapes.get('transposed')).toEqual([6, 4]);
      expect(get('row')).toEqual(base.slice(6, 12));
      expect(get('columns')).toEqual([0, 1, 2, 3].flatMap((row) => base.slice(row * 6 + 2, row * 6 + 4)));
      expect(get('expanded')).toEqual(new Array(6).fill(3.5));
      expect([shapes.get('scalar'), get('scalar')]).toEqual([[], [2.5]]);
      expect([shapes.get('empty'), get('empty')]).toEqual([[0, 3], []]);
      expect([...shapes.keys()].slice(0, 3)).toEqual(['float64', 'float32', 'float16']);
    },
  );

  test('formats that have no storage type of their own', async () => {
    const { weights } = await golden('untyped.pt');
    expect([...(weights.get('uint16') as Float32Array)]).toEqual(base.map((x) => Math.trunc(Math.abs(x))));
  });

  test('a training state: the model is found beside optimizer and scheduler, and loses the prefix of torch.compile', async () => {
    const { weights } = await golden('training.pt');
    expect([...weights.keys()].slice(0, 2)).toEqual(['0.weight', '0.bias']);
    expect([...(weights.get('0.weight') as Float32Array)]).toEqual([0, 1, 2, 3, 4, 5]);
    expect([...(weights.get('1.num_batches_tracked') as Float32Array)]).toEqual([1]);
  });
});

describe('tensors', () => {
  test('of random strides and offsets in a shared storage are as defined', async () => {
    const random = new Random(testSeed, 'strides');
    for (let trial = 0; trial < 20; trial++) {
      const storage = random.normals(400);
      const views = Array.from({ length: 4 }, () => ({
        offset: random.integer(20),
        shape: Array.from({ length: random.integer(4) }, () => 1 + random.integer(4)),
        strides: Array.from({ length: 4 }, () => random.integer(40)),
      })).map(({ strides, shape, offset }) => ({ offset, shape, strides: strides.slice(0, shape.length) }));
      const entries = Object.fromEntries(views.map((view, i) => [`t${i}`, tensor({ ...view, size: 400 })]));
      const data = floats(...storage);
      for (const bytes of [
        torchZip(orderedDict(entries), { '0': data }),
        torchLegacy(orderedDict(entries), [['0', 400, data]]),
      ]) {
        const weights = await read(bytes);
        for (const [i, { offset, shape, strides }] of views.entries()) {
          let expected = [offset];
          for (const [axis, n] of shape.entries()) {
            expected = expected.flatMap((at) =>
              Array.from({ length: n }, (_, k) => at + k * (strides[axis] as number)),
            );
          }
          expect([...(weights.get(`t${i}`) as Float32Array)]).toEqual(
            expected.map((at) => storage[at] as number),
          );
        }
      }
    }
  });

  test('of archives with ZIP64 fields, and with data at odd places, are read', async () => {
    const bytes = torchZip(orderedDict({ w: tensor(one) }), { '0': floats(1.5, -2) }, { zip64: true });
    expect([...((await read(bytes)).get('w') as Float32Array)]).toEqual([1.5, -2]);
  });

  test('views of storages in the older format begin where their storage does', async () => {
    const view = tuple(string('v'), int(3), int(2));
    const root = dict({
      w: tensor({ size: 6, offset: 1, shape: [1], strides: [1], view }),
      x: tensor({ size: 6, shape: [2], strides: [1], view: none }),
    });
    const weights = await read(torchLegacy(root, [['0', 6, floats(0, 1, 2, 3, 4, 5)]]));
    expect([...weights].map(([name, values]) => [name, ...values])).toEqual([
      ['w', 4],
      ['x', 0, 1],
    ]);
  });

  test('of safetensors files are read in every format', async () => {
    const header = {
      a: { dtype: 'BF16', shape: [2], data_offsets: [0, 4] },
      b: { dtype: 'F16', shape: [1, 1], data_offsets: [4, 6] },
    };
    const json = text(JSON.stringify(header));
    const length = new Uint8Array(BigUint64Array.of(BigInt(json.length)).buffer);
    const weights = await read(join(length, json, Uint8Array.of(0xc0, 0x3f, 0, 0xc0, 0, 0x3c)));
    expect([...weights].map(([name, values]) => [name, ...values])).toEqual([
      ['a', 1.5, -2],
      ['b', 1],
    ]);
    const file = path.join(dir, 'compiled.safetensors');
    await writeSafetensors(file, [{ name: 'module._orig_mod.w', shape: [1], data: Float32Array.of(3) }]);
    expect([...(await readCheckpoint(file)).weights]).toEqual([['w', Float32Array.of(3)]]);
  });
});

describe('which dict is the state dict', () => {
  const net = orderedDict({ w: tensor(one) });

  test('is found', async () => {
    for (const root of [
      net,
      dict({ epoch: int(3), state_dict: net }),
      dict({ optimizer: net, model: net }),
      dict({ weird: net, epoch: int(1), history: list(int(1), none) }),
    ]) {
      expect([...(await read(oneZip(root)))]).toEqual([['w', Float32Array.of(1, 2)]]);
    }
  });

  test('is asked for where it is not clear', async () => {
    expect(await errorOf(oneZip(dict({ a: net, b: net })))).toBe(
      'FILE: which of these is the state dict is not clear: a, b; choose one with --key, e.g. --key a',
    );
    expect(await errorOf(oneZip(list(int(1))))).toBe(
      'FILE: the checkpoint holds no state dict: save model.state_dict()',
    );
    expect(await errorOf(oneZip(dict({})))).toBe('FILE: the checkpoint holds no tensors');
  });
});

describe('nothing is run', () => {
  const remedy =
    'no checkpoint needs it, and whoever loads this file with pickle runs it. Nothing was run here; get the weights from a source that you trust';

  test.each([
    ['os', 'system'],
    ['posix', 'system'],
    ['builtins', 'eval'],
    ['__builtin__', 'exec'],
    ['torch.storage', '_load_from_bytes'],
    ['torch._utils', 'import_dotted_name'],
    ['subprocess', 'Popen'],
    ['os.path', 'join'],
  ])('%s.%s is refused by name', async (module, name) => {
    const bad = dict({ w: tensor(one), x: reduce(global(module, name), string('echo')) });
    expect(await errorOf(oneZip(bad))).toBe(`FILE: GLOBAL ${module}.${name} is not allowed: ${remedy}`);
    const stacked = dict({ x: join(string(module), string(name), Uint8Array.of(0x93)) });
    expect(await errorOf(torchLegacy(stacked, []))).toBe(
      `FILE: GLOBAL ${module}.${name} is not allowed: ${remedy}`,
    );
  });

  test.each([
    ['__main__', 'Net'],
    ['constructor', 'prototype'],
    ['__proto__', '__proto__'],
    ['builtins', 'getattr'],
    ['functools', 'partial'],
    ['torch.optim.lr_scheduler', 'OneCycleLR'],
  ])('%s.%s beside the weights is a placeholder that is no tensor', async (module, name) => {
    const called = reduce(global(module, name), global('torch', 'Tensor'), string('x'), tensor(one));
    const built = join(called, dict({ w: tensor(one) }), text('b'));
    const filled = join(called, text('('), string('w'), tensor(one), text('u'));
    for (const value of [global(module, name), called, built]) {
      const root = dict({ model: orderedDict({ w: tensor(one) }), x: value });
      expect([...(await read(oneZip(root))).keys()]).toEqual(['w']);
      const alone = dict({ w: tensor(one), x: value });
      expect([...(await read(oneZip(alone))).keys()]).toEqual(['w']);
    }
    // What is filled as a dict is one.
    expect([...(await read(oneZip(filled))).keys()]).toEqual(['w']);
  });

  test('what a tensor needs has to be known', async () => {
    const rebuild = global('torch._utils', '_rebuild_tensor_v2');
    const storage = reduce(global('mine', 'load'), string('x'));
    const made = reduce(rebuild, storage, int(0), tuple(int(2)), tuple(int(1)));
    expect(await errorOf(oneZip(dict({ w: made })))).toBe(
      'FILE: a tensor has no storage: it needs mine.load, which is not read',
    );
    const unknown = reduce(global('mine', 'make_tensor'), tensor(one));
    expect(await errorOf(oneZip(dict({ w: unknown })))).toBe('FILE: the checkpoint holds no tensors');
  });

  test('objects with attributes, and calls of what is no function, are refused', async () => {
    const built = join(list(), dict({}), text('b'));
    expect(await errorOf(oneZip(built))).toBe(
      'FILE: the pickle sets attributes of something that is no ordered dict',
    );
    expect(await errorOf(oneZip(reduce(int(1))))).toBe(
      'FILE: the pickle calls something that is no function',
    );
    expect(await errorOf(oneZip(join(global('collections', 'OrderedDict'), int(1), text('R'))))).toBe(
      'FILE: the pickle calls collections.OrderedDict with something that is no tuple',
    );
    expect(await errorOf(oneZip(text("S'a'\n")))).toContain(
      'opcode 0x53 at byte 2 of the pickle is none that torch.save writes',
    );
  });
});

describe('files that ask for too much', () => {
  test('tensors beyond their storage', async () => {
    expect(await errorOf(oneZip(dict({ w: tensor({ size: 2, shape: [3], strides: [1] }) })))).toBe(
      'FILE: w: a tensor of shape [3] and strides [1] needs the numbers 0 to 3 of storage 0, which has 2',
    );
    expect(await errorOf(oneZip(dict({ w: tensor({ ...one, offset: 1 }) })))).toContain(
      'needs the numbers 1 to 3',
    );
  });

  test('tensors larger than the file can mean', async () => {
    expect(await errorOf(oneZip(dict({ w: tensor({ size: 2, shape: [1e9], strides: [0] }) })))).toContain(
      'its tensors would need 4000000000 bytes, more than a file of',
    );
    expect(
      await errorOf(oneZip(dict({ w: tensor({ size: 2, shape: [2 ** 30, 2 ** 30], strides: [0, 0] }) }))),
    ).toContain('is too large');
    const many = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [`t${i}`, tensor({ size: 2, shape: [1e5], strides: [0] })]),
    );
    expect(await errorOf(oneZip(dict(many)))).toContain('its tensors would need 16000000 bytes');
  });

  test('sizes that are none', async () => {
    expect(await errorOf(oneZip(dict({ w: tensor({ size: 2, shape: [-1], strides: [1] }) })))).toBe(
      'FILE: a tensor has no valid shape',
    );
    expect(await errorOf(oneZip(dict({ w: tensor({ size: 2, shape: [1], strides: [-1] }) })))).toBe(
      'FILE: a tensor has no valid strides',
    );
    expect(await errorOf(oneZip(dict({ w: tensor({ size: 2, shape: [1], strides: [] }) })))).toBe(
      'FILE: a tensor of shape [1] has the strides []',
    );
    expect(await errorOf(oneZip(dict({ w: tensor({ size: -2, shape: [1], strides: [1] }) })))).toBe(
      'FILE: the pickle has a persistent id that names no storage',
    );
  });

  test('endless pickles, long integers, texts beyond the end', async () => {
    const endless = text('N0'.repeat(300_000));
    expect(await errorOf(oneZip(endless))).toBe(
      'FILE: the pickle takes a value from an empty stack at byte 600003',
    );
    expect(await errorOf(oneZip(join(Uint8Array.of(0x8b, 0, 4, 0, 0), new Uint8Array(1024))))).toBe(
      'FILE: the pickle has an integer of 1024 bytes',
    );
    expect(await errorOf(oneZip(join(text('X'), Uint8Array.of(255, 255, 255, 255))))).toMatch(
      /^FILE: 4294967295 bytes are missing at byte 7 of 8$/,
    );
    expect(await errorOf(oneZip(join(Uint8Array.of(0x8d), new Uint8Array(8).fill(255))))).toContain(
      'is no size that a file has',
    );
  });

  test('a value that holds itself, and one nested deeply', async () => {
    const itself = join(text(']q\x00h\x00a'));
    expect(await errorOf(oneZip(itself))).toContain('holds no state dict');
    const deep = join(new Uint8Array(100_000).fill(0x5d), new Uint8Array(99_999).fill(0x61));
    expect(await errorOf(oneZip(deep))).toContain('holds no state dict');
    expect((await read(oneZip(dict({ w: tensor(one), deep })))).size).toBe(1);
  });
});

describe('archives that are damaged or hostile', () => {
  const root = orderedDict({ w: tensor(one) });
  const member = (name: string, data: Bytes) => ({ name, data });

  test.each([
    [
      'compressed members',
      zip([{ ...member('net/data.pkl', pickle(root)), method: 8 }]),
      'zip member net/data.pkl is compressed; torch.save stores members as they are, so this file was packed by something else: unpack it and save it again with torch.save',
    ],
    [
      'encrypted members',
      zip([{ ...member('net/data.pkl', pickle(root)), flags: 1 }]),
      'zip member net/data.pkl is encrypted',
    ],
    [
      'names that climb out',
      torchZip(root, {}, { extra: [member('net/../../etc/passwd', text('x'))] }),
      'zip member "net/../../etc/passwd" climbs out of the archive',
    ],
    [
      'absolute names',
      torchZip(root, {}, { extra: [member('/etc/passwd', text('x'))] }),
      'zip member "/etc/passwd" climbs out of the archive',
    ],
    [
      'two members of a name',
      torchZip(root, {}, { extra: [member('net/version', text('x'))] }),
      'the zip file has two members net/version',
    ],
    [
      'sizes beyond the file',
      zip([{ ...member('net/data.pkl', pickle(root)), size: 1e9 }]),
      'zip member net/data.pkl reaches beyond the end of the data',
    ],
    [
      'more members than entries',
      zip([member('net/data.pkl', pickle(root))], { count: 9 }),
      'the zip directory has 1 members, its end says 9: the file is damaged',
    ],
    [
      'a wrong checksum',
      zip([{ ...member('net/data.pkl', pickle(root)), crc: 1 }]),
      'data.pkl has another checksum than the archive says: the file is damaged',
    ],
    [
      'no pickle',
      zip([member('net/data', text('x'))]),
      'the zip file is no PyTorch checkpoint: it has no data.pkl in its folder',
    ],
    [
      'TorchScript',
      torchZip(
        root,
        {},
        {
          extra: [
            // Its code is compressed.
            { ...member('net/code/net.py', text('x')), method: 8 },
            member('net/constants.pkl', text('x')),
          ],
        },
      ),
      'the file is a TorchScript program; save the state dict alone: torch.save(model.state_dict(), path)',
    ],
    [
      'big-endian',
      torchZip(root, {}, { byteorder: 'big' }),
      'the checkpoint has byte order "big"; only little-endian ones are read: load and save it on another machine',
    ],
    [
      'big-endian, older',
      torchLegacy(root, [['0', 2, floats(1, 2)]], { little: false }),
      'the checkpoint has byte order "big"; only little-endian ones are read: load and save it on another machine',
    ],
    ['a missing storage', torchZip(root, {}), 'w: the checkpoint has no member net/data/0'],
    ['something packed by gzip', Uint8Array.of(0x1f, 0x8b, 8, 0), 'this is packed by gzip: unpack it first'],
    ['a missing storage, older', torchLegacy(root, []), 'the file has no storage 0'],
    [
      'a storage of nobody',
      torchLegacy(root, [
        ['0', 2, floats(1, 2)],
        ['9', 1, floats(1)],
      ]),
      'the file has a storage 9 that no tensor is in',
    ],
    [
      'a storage beyond the end',
      torchLegacy(root, [['0', 1e6, floats(1, 2)]]),
      'storage 0 of 4000000 bytes reaches beyond the end of the file: it is cut short',
    ],
    [
      'a plain pickle',
      pickle(root),
      'this is a plain pickle; only files of torch.save and safetensors are read',
    ],
    ['something else', text('hello, world'), 'this is neither a file of torch.save nor safetensors'],
    ['nothing', text(''), 'the file is empty'],
    [
      'a Git LFS pointer',
      text('version https://git-lfs.github.com/spec/v1\noid sha256:1'),
      'this is a pointer of Git LFS, not the file itself: run `git lfs pull`',
    ],
  ])('%s', async (_, bytes, message) => {
    expect(await errorOf(bytes)).toBe(`FILE: ${message}`);
  });

  test('what was not checksummed is read, and a wrong checksum of a storage is an error', async () => {
    const storage = (crc: number) =>
      zip([member('net/data.pkl', pickle(root)), { ...member('net/data/0', floats(1, 2)), crc }]);
    expect((await read(storage(0))).size).toBe(1);
    expect(await errorOf(storage(5))).toBe(
      'FILE: w: storage 0 has another checksum than the archive says: the file is damaged',
    );
  });

  test('no file, and a folder', async () => {
    await expect(openCheckpoint(path.join(dir, 'none.pt'))).rejects.toThrow('none.pt: there is no such file');
    await expect(openCheckpoint(dir)).rejects.toThrow(
      `${dir}: a folder, and neither an unpacked file of torch.save (data.pkl and data) nor shards with an index`,
    );
    const file = await fileOf(oneZip(root));
    const checkpoint = await openCheckpoint(file);
    await expect(checkpoint.read('v')).rejects.toThrow(`${file}: no tensor v`);
    await checkpoint.close();
  });
});
