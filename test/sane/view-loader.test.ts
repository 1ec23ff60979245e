/**
 * Views drawn by threads of zoos on disk. Not `expect(…).rejects` on what a loader's answer led to: it waits inside of the event
 * that brought the answer, and Bun brings no other of the same thread meanwhile.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdir, mkdtemp, readdir, readlink, rename, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../src/base/random.ts';
import { writeSafetensors } from '../../src/base/safetensors.ts';
import { permute, randomOrders } from '../../src/nets/permute.ts';
import { getArchitecture } from '../../src/nets/registry.ts';
import { writePermutations } from '../../src/sane/alignment.ts';
import { fitStandardization, standardize } from '../../src/sane/standardize.ts';
import { flatten, tokenLayout } from '../../src/sane/tokenize.ts';
import { ViewLoader } from '../../src/sane/view-loader.ts';
import type { ViewRequest } from '../../src/sane/view-thread.ts';
import type { TwoViews } from '../../src/sane/views.ts';
import { findSamples, readSamples, type Samples, standardizedSets } from '../../src/sane/zoo-samples.ts';
import { modelFile, openZoo, tensorName } from '../../src/zoo/zoo.ts';
import { randomWeights } from '../nets/networks.ts';
import { testSeed as seed } from '../seed.ts';
import { writeZoo } from '../zoo/on-disk.ts';
import { drawOf, inMemory, onDisk } from './view-sets.ts';

const resnet = getArchitecture('resnet18', { input: [28, 28, 1], classes: 10, width: 3 });
const layout = tokenLayout(resnet, 23, true);
const epochs = [2, 5];
const splits = ['train', 'train', 'train', 'val', 'test'] as const;
/** Weights by model and epoch, and how each model is aligned. */
const weights = splits.map((_, m) => epochs.map((epoch) => randomWeights(resnet, seed + 10 * m + epoch)));
const orders = splits.map((_, m) => randomOrders(resnet, new Random(seed, 'alignment', m)));

let dir = '';
const zooDir = () => join(dir, 'zoo');
const alignment = () => join(dir, 'alignment');

/** Writes the zoo anew, as it is before a test damages it. */
const write = () =>
  writeZoo(
    zooDir(),
    resnet,
    3,
    splits.map((split, m) => ({
      split,
      checkpoints: epochs.map((epoch, e) => ({ epoch, weights: weights[m]![e]! })),
    })),
  );

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'views-'));
  await write();
  await mkdir(join(alignment(), 'permutations'), { recursive: true });
  for (const [m, permutations] of orders.entries()) {
    const description = { distanceBefore: 1, distance: 1, sweeps: 1 };
    await writePermutations(alignment(), `model-${m}`, { permutations, ...description });
  }
});
afterAll(() => rm(dir, { recursive: true }));

const settings = { window: 90, noise: 0.1, view_1: 'canonical', view_2: 'permuted' } as const;
const requests = (count: number, samples = 6): ViewRequest[] =>
  Array.from({ length: count }, (_, i) => ({
    set: 'train',
    samples: Int32Array.from({ length: 4 }, (_, k) => (5 * i + k) % samples),
    settings,
    random: [seed, 'batch', i],
  }));

async function setsOf(samples: Samples, standardization: 'per-layer' | 'per-split' | 'none' = 'per-layer') {
  return standardizedSets(standardization, resnet, layout, samples, ['train', 'val']);
}

async function collect(loader: ViewLoader, wanted: Iterable<ViewRequest>): Promise<TwoViews[]> {
  const all: TwoViews[] = [];
  for await (const views of loader.draw(wanted)) all.push(structuredClone(views));
  return all;
}

const failureOf = (work: Promise<unknown>): Promise<Error> =>
  work.then(
    () => new Error('it did not fail'),
    (error) => error,
  );

describe('views of a zoo on disk', () => {
  test('are those of the models in memory, aligned and standardised, whatever the number of threads', async () => {
    const flats = [0, 1, 2].flatMap((m) =>
      weights[m]!.map((one) => flatten(resnet, permute(resnet, one, orders[m]!))),
    );
    const fitted = fitStandardization(layout, flats);
    const models = flats.map((flat) => inMemory(standardize(layout, flat, fitted)));
    const origin = { architecture: resnet, layout };
    const expected = requests(7).map(({ samples, random }) =>
      drawOf(
        origin,
        Array.from(samples, (i) => models[i]!),
        settings,
        new Random(...random),
      ),
    );
    const samples = await findSamples(await openZoo(zooDir()), null, alignment());
    const sets = await setsOf(samples);
    expect(sets.train.standardization).toEqual(fitted);
    for (const threads of [1, 2, 3]) {
      using loader = new ViewLoader([{ origin, sets }], threads);
      expect(await collect(loader, requests(7))).toEqual(expected);
    }
  }, 300_000);

  test('are standardised by what the setting says', async () => {
    const samples = await findSamples(await openZoo(zooDir()), [5], undefined);
    const of = (split: 'train' | 'val'): Float32Array[] =>
      Array.from(readSamples(resnet, samples[split]), (flat) => new Float32Array(flat));
    expect(of('val')).toEqual([flatten(resnet, weights[3]![1]!)]);
    const train = fitStandardization(layout, of('train'));
    const sets = async (mode: Parameters<typeof setsOf>[1]) => {
      const { train, val } = await setsOf(samples, mode);
      return [train.standardization, val.standardization];
    };
    expect(await sets('per-layer')).toEqual([train, train]);
    expect(await sets('per-split')).toEqual([train, fitStandardization(layout, of('val'))]);
    expect(await sets('none')).toEqual([null, null]);
  });

  test('of epochs that it does not have are refused', async () => {
    const zoo = await openZoo(zooDir());
    await expect(findSamples(zoo, [3, 4], undefined)).rejects.toThrow(
      `zoo ${zooDir()}: no train model has a checkpoint of the epochs 3, 4; the zoo has the epochs 2, 5: set checkpoints, or prompt_epoch, to some of these`,
    );
    zoo.manifest.models.find(({ split }) => split === 'val')!.checkpoints.pop();
    await expect(findSamples(zoo, [5], undefined)).rejects.toThrow(
      `zoo ${zooDir()}: no val model has a checkpoint of the epochs 5; raise zoo.models, or see whether its models diverged`,
    );
  });

  test('far larger than memory allows take little of it', async () => {
    // 5000 checkpoints of 11 MB. They share a file, which nobody can tell.
    const large = getArchitecture('resnet18', { input: [32, 32, 3], classes: 10, width: 32 });
    const tokens = tokenLayout(large, 288);
    const flat = flatten(large, randomWeights(large, seed));
    const [sample] = (await onDisk(dir, 'large', [flat])).samples;
    const set = { samples: Array.from({ length: 5000 }, () => sample!), standardization: null };
    using loader = new ViewLoader([
      { origin: { architecture: large, layout: tokens }, sets: { train: set } },
    ]);
    const batches = requests(120, 5000);
    const draw = async (wanted: ViewRequest[]) => {
      for await (const views of loader.draw(wanted)) expect(views.rows).toBe(8);
    };
    await draw(batches.slice(0, 20));
    const before = process.memoryUsage.rss();
    await draw(batches.slice(20));
    // 400 checkpoints were looked at, of 4.4 GB together, and their batches are 0.7 GB.
    expect(process.memoryUsage.rss() - before).toBeLessThan(300e6);
  }, 300_000);
});

describe('what goes wrong with a zoo', () => {
  /** What training says when `damage` happens to the second model's file after it was found. */
  async function during(damage: (path: string) => Promise<unknown>): Promise<Error & { syscall?: string }> {
    const samples = await findSamples(await openZoo(zooDir()), null, undefined);
    using loader = new ViewLoader([
      { origin: { architecture: resnet, layout }, sets: await setsOf(samples) },
    ]);
    await damage(modelFile(zooDir(), 'model-1'));
    const error = await failureOf(collect(loader, requests(9)));
    await write();
    return error;
  }

  test('in training names the file: gone, cut short, no numbers', async () => {
    const path = modelFile(zooDir(), 'model-1');
    const gone = await during((file) => rename(file, `${file}.moved`));
    expect(gone.message).toBe(`ENOENT: no such file or directory, open '${path}'`);
    // By this the runner knows that it is the machine's trouble, which may pass.
    expect(gone.syscall).toBe('open');
    const short = await during((file) => truncate(file, 9000));
    expect(short.message).toMatch(
      /model-1\.safetensors: the file is damaged: it ends before byte \d+\. Train or import the zoo again/,
    );
    const damaged = await during(async (file) => {
      const { size } = Bun.file(file);
      await Bun.write(file, new Uint8Array(size).fill(0xff));
    });
    expect(damaged.message).toMatch(
      /model-1\.safetensors: the file is damaged: it holds NaN among the weights of a network/,
    );
  });

  test('before it names the file and the tensor', async () => {
    const path = modelFile(zooDir(), 'model-1');
    const find = async () => failureOf(findSamples(await openZoo(zooDir()), null, undefined));
    const rewrite = async (change: (name: string, data: Float32Array) => Float32Array | Float64Array) => {
      const tensors = epochs.flatMap((epoch, e) =>
        resnet.state.map(({ name, shape }) => ({
          name: tensorName(epoch, name),
          shape,
          data: change(tensorName(epoch, name), weights[1]![e]!.get(name)!),
        })),
      );
      await writeSafetensors(path, tensors);
    };
    await truncate(path, 100_000);
    expect((await find()).message).toMatch(/model-1\.safetensors: tensor .* the file is cut short$/);
    await rewrite((name, data) => (name === '5/fc.bias' ? Float64Array.from(data) : data));
    expect((await find()).message).toBe(`${path}: tensor 5/fc.bias is F64, expected F32`);
    await rewrite((_, data) => data.map(() => Number.POSITIVE_INFINITY));
    const samples = await findSamples(await openZoo(zooDir()), null, undefined);
    const broken = await failureOf(setsOf(samples));
    expect(broken.message).toBe(`${path}: layer conv1.weight holds numbers that are not finite`);
    await write();
  });

  test.if(process.platform === 'linux')('leaves no file open', async () => {
    const zoo = await openZoo(zooDir());
    const sets = await setsOf(await findSamples(zoo, null, alignment()));
    using loader = new ViewLoader([{ origin: { architecture: resnet, layout }, sets }], 2);
    await collect(loader, requests(10));
    await rename(modelFile(zooDir(), 'model-0'), join(dir, 'moved'));
    expect((await failureOf(collect(loader, requests(10)))).message).toMatch(/ENOENT/);
    await write();
    const opened = async () => {
      const links = (await readdir('/proc/self/fd')).map((fd) =>
        readlink(`/proc/self/fd/${fd}`).catch(() => ''),
      );
      const targets = await Promise.all(links);
      expect(targets.length).toBeGreaterThan(3);
      return targets.filter((target) => target.startsWith(dir));
    };
    // Threads of the tests before may take a moment to end.
    for (let tries = 0; tries < 50 && (await opened()).length > 0; tries++) await Bun.sleep(100);
    expect(await opened()).toEqual([]);
  });

  test.each(['', 'throw new Error("stop");'])(
    'a process whose training ends, "%s", ends with its threads',
    async (end) => {
      const source = (path: string) => JSON.stringify(join(import.meta.dir, '../../src', path));
      const script = join(dir, 'train.ts');
      await Bun.write(
        script,
        `import { ViewLoader } from ${source('sane/view-loader.ts')};
       import { tokenLayout } from ${source('sane/tokenize.ts')};
       import { findSamples } from ${source('sane/zoo-samples.ts')};
       import { openZoo } from ${source('zoo/zoo.ts')};
       const zoo = await openZoo(${JSON.stringify(zooDir())});
       const { train } = await findSamples(zoo, null, undefined);
       const origin = { architecture: zoo.architecture, layout: tokenLayout(zoo.architecture, 23) };
       using loader = new ViewLoader([{ origin, sets: { train: { samples: train, standardization: null } } }], 2);
       for await (const views of loader.draw(${JSON.stringify(requests(3))}.map((one) => ({ ...one, samples: Int32Array.from([0, 1]) })))) {
         console.log(views.rows);
         ${end}
       }`,
      );
      const child = Bun.spawn(['bun', script], { stdout: 'pipe', stderr: 'pipe', timeout: 240_000 });
      const [out, code] = [await child.stdout.text(), await child.exited];
      expect(out).toBe(end ? '4\n' : '4\n4\n4\n');
      expect(code).toBe(end ? 1 : 0);
    },
    300_000,
  );
});
