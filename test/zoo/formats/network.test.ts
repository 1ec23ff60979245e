/** The one reader of networks: names, orders, shards, unpacked folders. Files are written opcode by opcode, or by our writer of safetensors. */
import { afterAll, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeSafetensors } from '../../../src/base/safetensors.ts';
import { describeTokens } from '../../../src/sane/network.ts';
import { checkpointsIn } from '../../../src/zoo/formats/checkpoints-in.ts';
import { readNetwork } from '../../../src/zoo/formats/network.ts';
import { describeUnused } from '../../../src/zoo/formats/unused.ts';
import { dict, floats, orderedDict, pickle, tensor, torchZip } from './torch-files.ts';

const root = mkdtempSync(join(tmpdir(), 'network-'));
afterAll(() => rmSync(root, { recursive: true }));
let files = 0;
const newPath = (ending: string) => join(root, `${files++}${ending}`);

/** A file of torch.save with tensors of two ones under these names. */
function saved(...names: string[]): string {
  const path = newPath('.pt');
  const one = tensor({ size: 2, shape: [2, 1], strides: [1, 1] });
  writeFileSync(
    path,
    torchZip(orderedDict(Object.fromEntries(names.map((name) => [name, one]))), { '0': floats(1, 1) }),
  );
  return path;
}

async function safetensors(names: string[], path = newPath('.safetensors')): Promise<string> {
  await writeSafetensors(
    path,
    names.map((name) => ({ name, shape: [1, 1], data: Float32Array.of(names.indexOf(name)) })),
  );
  return path;
}

const namesOf = async (path: string) => [...(await readNetwork(path)).shapes.keys()];
const outNames = async (path: string) => (await readNetwork(path)).restore(new Map()).map(({ name }) => name);

describe('names', () => {
  test.each([
    [['module.a.weight'], ['a.weight']],
    [
      ['module._orig_mod.model.net.a.weight', 'module._orig_mod.model.net.b.bias'],
      ['a.weight', 'b.bias'],
    ],
    [
      ['model._orig_mod.a.weight', 'model._orig_mod.a._checkpoint_wrapped_module.weight'],
      ['model._orig_mod.a.weight', 'model._orig_mod.a._checkpoint_wrapped_module.weight'].map((name) =>
        name.replace('model.', ''),
      ),
    ],
    [
      ['net.a.weight', 'head.weight'],
      ['net.a.weight', 'head.weight'],
    ],
    [['_fsdp_wrapped_module.a._fsdp_wrapped_module.weight'], ['a.weight']],
  ])('%j are %j', async (given, expected) => {
    expect(await namesOf(saved(...given))).toEqual(expected);
  });

  test('are those of the file again in a copy, but for what wraps the whole', async () => {
    expect(await outNames(saved('model.a.weight', 'model.b.bias'))).toEqual([
      'model.a.weight',
      'model.b.bias',
    ]);
    expect(await outNames(saved('module._orig_mod.a.weight'))).toEqual(['a.weight']);
  });
});

describe('the order of a file without one', () => {
  test('is natural', async () => {
    const names = ['blocks.10.weight', 'blocks.2.bias', 'blocks.2.weight', 'blocks.1.weight'];
    expect(await namesOf(await safetensors(names))).toEqual([
      ...['blocks.1.weight', 'blocks.2.weight', 'blocks.2.bias', 'blocks.10.weight'],
    ]);
  });

  test('is that of a network which others are compared with', async () => {
    const path = await safetensors(['a.weight', 'a.bias', 'stem.weight']);
    const { shapes } = await readNetwork(path, { order: ['stem.weight', 'a.weight', 'gone.weight'] });
    expect([...shapes.keys()]).toEqual(['stem.weight', 'a.weight', 'a.bias']);
  });
});

test('batch norm is what keeps running values, whatever its name', async () => {
  const path = newPath('.safetensors');
  const vector = (name: string) => ({ name, shape: [2], data: Float32Array.of(1, Number.NaN) });
  await writeSafetensors(path, [
    { name: 'rgbnet.weight', shape: [1, 2], data: Float32Array.of(1, 2) },
    ...['weight', 'bias', 'running_mean', 'running_var'].map((part) => vector(`scale.${part}`)),
  ]);
  const network = await readNetwork(path);
  // Its numbers that are not finite do not count either, as it becomes no tokens.
  expect(describeTokens(network, false).state.map(({ name }) => name)).toEqual(['rgbnet.weight']);
  expect(() => describeTokens(network, true)).toThrow(
    `${path}: scale.weight has numbers that are not finite: the network diverged`,
  );
});

describe('shards', () => {
  const index = (map: Record<string, string>) => JSON.stringify({ metadata: {}, weight_map: map });
  async function sharded(map: Record<string, string>, extra: string[] = []): Promise<string> {
    const dir = newPath('');
    mkdirSync(dir);
    for (const file of new Set(Object.values(map))) {
      const names = Object.keys(map).filter((name) => map[name] === file);
      if (!file.includes('/')) await safetensors([...names, ...extra], join(dir, file));
    }
    writeFileSync(join(dir, 'model.safetensors.index.json'), index(map));
    return dir;
  }
  const [one, two] = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'] as const;

  test('are joined by their index, which their folder stands for too', async () => {
    const dir = await sharded({ 'l.10.weight': one, 'l.9.weight': two, 'l.1.weight': one });
    for (const path of [dir, join(dir, 'model.safetensors.index.json')])
      expect(await namesOf(path)).toEqual(['l.1.weight', 'l.9.weight', 'l.10.weight']);
    expect(await checkpointsIn(dir)).toEqual([join(dir, 'model.safetensors.index.json')]);
  });

  test('say what is wrong', async () => {
    const dir = await sharded({ 'a.weight': one, 'b.weight': two });
    await expect(readNetwork(join(dir, one))).rejects.toThrow(
      `${join(dir, one)}: this is part 1 of a network in 2 files: give the .index.json beside them, or their folder`,
    );
    rmSync(join(dir, two));
    await expect(readNetwork(dir)).rejects.toThrow(`${join(dir, two)}: there is no such file`);
    const outside = await sharded({ 'a.weight': '../secret.safetensors' });
    await expect(readNetwork(outside)).rejects.toThrow('"../secret.safetensors" is no file beside the index');
    const more = await sharded({ 'a.weight': one, 'b.weight': one }, ['c.weight']);
    await expect(readNetwork(more)).rejects.toThrow('it names 2 tensors, its files have 3');
    writeFileSync(join(more, 'model.safetensors.index.json'), '{}');
    await expect(readNetwork(more)).rejects.toThrow('this is no index of shards: it has no weight_map');
  });
});

describe('an unpacked archive', () => {
  function unpacked(key: string): string {
    const dir = newPath('');
    mkdirSync(join(dir, 'data'), { recursive: true });
    const weight = tensor({ key, size: 2, shape: [2, 1], strides: [1, 1] });
    writeFileSync(join(dir, 'data.pkl'), pickle(dict({ 'a.weight': weight })));
    writeFileSync(join(dir, 'data', '0'), floats(3, 4));
    writeFileSync(join(dir, 'secret'), floats(3, 4));
    return dir;
  }

  test('is read as the archive is', async () => {
    const dir = unpacked('0');
    expect([...((await readNetwork(dir)).weights.get('a.weight') as Float32Array)]).toEqual([3, 4]);
    expect(await checkpointsIn(dir)).toEqual([dir]);
  });

  test('may not name files elsewhere', async () => {
    await expect(readNetwork(unpacked('../secret'))).rejects.toThrow(
      `storage "../secret" is outside of the checkpoint's folder`,
    );
  });
});

test('a checkpoint is listed once, as links lead to it in caches and folders of trials', async () => {
  const dir = newPath('');
  mkdirSync(join(dir, 'models--a--b', 'blobs'), { recursive: true });
  mkdirSync(join(dir, 'run'));
  await safetensors(['a.weight'], join(dir, 'models--a--b', 'blobs', '0f3c'));
  for (const snapshot of ['1111', '2222']) {
    mkdirSync(join(dir, 'models--a--b', 'snapshots', snapshot), { recursive: true });
    symlinkSync('../../blobs/0f3c', join(dir, 'models--a--b', 'snapshots', snapshot, 'model.safetensors'));
  }
  await safetensors(['a.weight'], join(dir, 'run', 'epoch_9.safetensors'));
  symlinkSync('epoch_9.safetensors', join(dir, 'run', 'best.safetensors'));
  symlinkSync('run', join(dir, 'latest'));
  symlinkSync('nowhere', join(dir, 'dangling.pt'));
  writeFileSync(join(dir, 'run', 'log.pt'), 'text');
  writeFileSync(join(dir, 'run', 'log.txt'), 'text');
  // What is called as checkpoints are is listed, so that reading it says what is wrong.
  expect(await checkpointsIn(dir, { deep: true })).toEqual([
    join(dir, 'dangling.pt'),
    join(dir, 'models--a--b', 'snapshots', '1111', 'model.safetensors'),
    join(dir, 'run', 'epoch_9.safetensors'),
    join(dir, 'run', 'log.pt'),
  ]);
});

test('what is not used is told by its reason', () => {
  const many = Array.from({ length: 20 }, (_, i) => ({
    name: `l${i}.total_ops`,
    reason: 'no part of a layer',
  }));
  expect(
    describeUnused([...many, { name: 'ema', reason: 'another state dict (choose it with --key)' }]),
  ).toBe('total_ops of 20 tensors (no part of a layer); ema (another state dict (choose it with --key))');
  expect(describeUnused([])).toBe('');
});
