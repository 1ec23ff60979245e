/** A folder of images and a Small CNN Zoo, from the command line: imported, aligned, predicted by rank, sampled and fine-tuned. */
import { afterAll, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../src/base/random.ts';
import { sizeOf } from '../../src/base/shape.ts';
import { Evaluation } from '../../src/commands/sample/evaluation.ts';
import { getArchitecture } from '../../src/nets/registry.ts';
import { cacheFolder } from '../../src/tensor/devices/compile.ts';
import { startDevice } from '../../src/tensor/devices/registry.ts';
import { png } from '../data/published-files.ts';
import { removeFixtures } from '../runner/fixture.ts';
import { writeSmallCnnZoo } from '../zoo/small-cnn-files.ts';
import { ended, inProcess, Program, realProgram, spawn } from './program.ts';

// Processes take long to start on a busy machine.
setDefaultTimeout(300_000);
afterAll(removeFixtures);

/** A cache of its own but for the kernels, which would be compiled again. */
function cacheWithKernels(root: string): string {
  const own = join(root, 'cache');
  mkdirSync(join(own, 'sane-experiments'), { recursive: true });
  symlinkSync(cacheFolder(), join(own, 'sane-experiments', 'native'));
  return own;
}

/** Classes of ten images of 28 x 28 pixels, each of another grey. */
function writeGreys(folder: string, classes: number): string {
  const random = new Random(2, 'greys');
  for (let label = 0; label < classes; label++) {
    const dir = join(folder, `class-${label}`);
    mkdirSync(dir, { recursive: true });
    for (let i = 0; i < 10; i++) {
      const bytes = Uint8Array.from({ length: 784 }, () => 20 * label + random.integer(40));
      writeFileSync(join(dir, `${i}.png`), png(bytes, [28, 28], { color: 0 }));
    }
  }
  return folder;
}

test('exp data check decodes the images of a folder, and says what is wrong with them', async () => {
  const { root } = new Program({}, '');
  const good = writeGreys(join(root, 'good'), 2);
  const bad = writeGreys(join(root, 'bad'), 2);
  writeFileSync(join(bad, 'class-1', '3.png'), 'no image');
  const args = ['data', 'check', good, bad];
  const cache = { XDG_CACHE_HOME: join(root, 'cache') };
  expect(await ended(spawn(realProgram, args, cache))).toMatchObject({
    code: 1,
    out: `✓ good           16 and 4 images, 2 classes, 28x28x1\n✗ bad            ${bad}/class-1/3.png: no PNG or JPEG image\n`,
  });
});

test('exp sample --evaluate takes a folder of images', async () => {
  const { root } = new Program({}, '');
  await startDevice('wasm', { threads: 1 });
  const net = getArchitecture('cnn-small', { input: [28, 28, 1], classes: 10, width: null });
  const shapes = new Map(net.state.map(({ name, shape }) => [name, shape]));
  const before = process.env.XDG_CACHE_HOME;
  process.env.XDG_CACHE_HOME = join(root, 'cache');
  try {
    const prompt = { network: { path: 'a.pt', shapes }, zoo: { activation: null } };
    const options = { activation: undefined, dataDir: undefined, seed: 0 };
    const of = (classes: number) => writeGreys(join(root, `${classes}-greys`), classes);
    const evaluation = await Evaluation.open(prompt, { ...options, dataset: of(10) });
    expect(evaluation.description).toBe(
      `cnn-small with tanh on 80 training images of ${join(root, '10-greys')}`,
    );
    // Says class 3 of everything: two of the twenty test images.
    const constant = new Map(net.state.map(({ name, shape }) => [name, new Float32Array(sizeOf(shape))]));
    constant.get('module_list.11.bias')![3] = 1;
    expect(await evaluation.testAccuracies([constant])).toEqual([expect.closeTo(0.1, 6)]);
    evaluation.dispose();
    await expect(Evaluation.open(prompt, { ...options, dataset: of(3) })).rejects.toThrow(
      'a.pt: a network for 10 classes, and 3-greys has 3: give --evaluate the data set that it was trained on',
    );
  } finally {
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
  }
});

test('images of one’s own and networks of another benchmark, from files to tables', async () => {
  const program = new Program({}, '');
  const random = new Random(1, 'images');
  writeGreys(join(program.root, 'greys'), 10);
  const original = join(program.root, 'small');
  writeSmallCnnZoo(original, random, {
    models: 10,
    epochs: [1, 86],
    dataset: 'greys',
    activations: ['relu'],
  });

  const zoo = join(program.root, 'zoo');
  const imported = await inProcess(
    'zoo',
    'import',
    original,
    '--dataset',
    'mnist',
    '--epochs',
    '86',
    '--out',
    zoo,
  );
  expect(imported).toMatchObject({ code: 0, err: '' });
  expect(imported.out).toBe(
    `${zoo}: 10 models of small-cnn-zoo on mnist, 10 checkpoints of epochs 86
use it in an experiment with
  architectures: {small-cnn-zoo: ${zoo}/architecture.yaml}
  zoo: {import: ${zoo}, checkpoints: [86]}
  property_prediction: {gap: evaluated}
`,
  );
  writeFileSync(
    program.file,
    `name: own
architectures: {small: zoo/architecture.yaml}
datasets: {greys: {folder: greys}}
data: {train_images: 60}
grid: {architecture: [small], dataset: [greys], task: [property-prediction, generation]}
zoo: {import: small, models: 10, checkpoints: [1, 86], split: [0.6, 0.2, 0.2]}
sane: {d_model: 16, latent_dim: 8, layers: 1, heads: 2, window: 24, epochs: 1, batch_size: 4, checkpoints: null}
property_prediction: {checkpoints: null, gap: evaluated, features: [weights, statistics], targets: [test-accuracy]}
generation: {methods: [kde30], samples: 2, candidates: 2, epochs: [0, 1], conditioning_batch_size: 10, prompt_epoch: 86}
tables:
  - { rows: target, columns: feature, metric: tau }
`,
  );
  const args = [program.file, '--store', program.store.root, '--out', program.out];
  const { code, err } = await ended(
    spawn(realProgram, args, { XDG_CACHE_HOME: cacheWithKernels(program.root) }),
  );
  expect(err).not.toContain('failed');
  expect(code).toBe(0);
  const csv = readFileSync(join(program.out, 'pivot-tau.csv'), 'utf8');
  expect(csv).toMatch(/test-accuracy,.*weights/);
});
