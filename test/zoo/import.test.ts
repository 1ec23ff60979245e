/** Zoos of other people: published ones, listed checkpoint files, our own. */
import { afterAll, describe, expect, test } from 'bun:test';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../src/base/random.ts';
import { FormatError } from '../../src/base/source.ts';
import type { Architecture } from '../../src/nets/architecture.ts';
import { getArchitecture } from '../../src/nets/registry.ts';
import { findZoo } from '../../src/zoo/import/find.ts';
import { inspectZooFolder } from '../../src/zoo/import/fingerprint.ts';
import { type ImportOptions, importZoo } from '../../src/zoo/import/import.ts';
import { openZoo } from '../../src/zoo/zoo.ts';
import { testSeed } from '../seed.ts';
import { floats, orderedDict, tensor, torchLegacy, torchZip } from './formats/torch-files.ts';

const root = mkdtempSync(join(tmpdir(), 'zoo-import-'));
afterAll(() => rmSync(root, { recursive: true }));
let folders = 0;
const newFolder = () => join(root, String(folders++));

const random = new Random(testSeed, 'import');
const cnn = getArchitecture('cnn-small', { input: [28, 28, 1], classes: 10, width: null });
const resnet = getArchitecture('resnet18', { input: [28, 28, 1], classes: 10, width: 4 });

type Weights = Map<string, Float32Array>;
const draw = ({ state }: Architecture): Weights =>
  new Map(state.map(({ name, shape }) => [name, random.normals(shape.reduce((a, b) => a * b, 1))]));

/** A checkpoint file as PyTorch writes it, of either format; `counters` as batch norm adds them. */
function bytesOf(
  { state }: Architecture,
  weights: Weights,
  { legacy = false, rename = (name: string) => name } = {},
) {
  const entries = state.flatMap(({ name, shape }) => [
    { name: rename(name), shape, data: [...(weights.get(name) as Float32Array)] },
    ...(name.endsWith('running_var')
      ? [{ name: rename(name.replace('running_var', 'num_batches_tracked')), shape: [], data: [3] }]
      : []),
  ]);
  const strides = (shape: number[]) =>
    shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const dictionary = orderedDict(
    Object.fromEntries(
      entries.map(({ name, shape, data }, i) => [
        name,
        tensor({ key: String(i), size: data.length, shape, strides: strides(shape) }),
      ]),
    ),
  );
  const storages = entries.map(({ data }, i): [string, number, Uint8Array] => [
    String(i),
    data.length,
    floats(...data),
  ]);
  return legacy
    ? torchLegacy(dictionary, storages)
    : torchZip(dictionary, Object.fromEntries(storages.map(([key, , data]) => [key, data])));
}

const assumed = {
  optimizer: 'adam',
  learning_rate: 1,
  weight_decay: 0,
  dropout: 0,
  activation: 'tanh',
  init: 'uniform',
} as const;
const options: ImportOptions = {
  architecture: null,
  dataset: 'mnist',
  epochs: null,
  models: null,
  split: [0.6, 0.2, 0.2],
  seed: 5,
  hyperparameters: () => assumed,
};
const importInto = async (dir: string, changes: Partial<ImportOptions> = {}) => {
  const out = newFolder();
  return { out, ...(await importZoo(await findZoo(dir), out, { ...options, ...changes })) };
};

async function errorOf(dir: string, changes: Partial<ImportOptions> = {}): Promise<string> {
  const error = await importInto(dir, changes).then(
    () => new Error('no error'),
    (caught: Error) => caught,
  );
  expect(error).toBeInstanceOf(FormatError);
  return error.message.replaceAll(dir, 'DIR');
}

interface Trial {
  name: string;
  checkpoints: Record<string, Uint8Array>;
  /** Lines of result.json. */
  results: object[];
  params?: object;
}

function published(trials: Trial[]): string {
  const dir = newFolder();
  mkdirSync(dir);
  writeFileSync(join(dir, 'config.json'), '{}');
  for (const { name, checkpoints, results, params = {} } of trials) {
    for (const [checkpoint, bytes] of Object.entries(checkpoints)) {
      mkdirSync(join(dir, name, checkpoint), { recursive: true });
      writeFileSync(join(dir, name, checkpoint, 'checkpoints'), bytes);
      writeFileSync(join(dir, name, checkpoint, 'optimizer'), 'not read');
    }
    writeFileSync(join(dir, name, 'params.json'), JSON.stringify(params));
    writeFileSync(join(dir, name, 'result.json'), results.map((line) => JSON.stringify(line)).join('\n'));
  }
  return dir;
}

const row = (epoch: number | undefined, accuracy: number) => ({
  ...{
    training_iteration: epoch,
    train_acc: accuracy + 0.1,
    test_acc: accuracy,
    train_loss: 1 - accuracy,
    test_loss: 1.5 - accuracy,
  },
});

describe('a published zoo', () => {
  test('is read with its epochs, results, settings and weights, in the order of names', async () => {
    const weights = [1, 2, 10].map(() => [draw(cnn), draw(cnn)] as const);
    const trials = [10, 1, 2].map((seed): Trial => {
      const [early, late] = weights[[1, 2, 10].indexOf(seed)] as [Weights, Weights];
      return {
        name: `NN_tune_trainable_${seed}_seed=${seed}`,
        checkpoints: {
          checkpoint_000000: bytesOf(cnn, early),
          checkpoint_2: bytesOf(cnn, late, { legacy: true }),
        },
        // The first begins with the untrained model; lines of the others have no count.
        results: [0, 1, 2].map((epoch) => row(seed === 1 ? epoch : undefined, 0.1 * epoch + 0.01 * seed)),
        params: {
          seed,
          'model::nlin': 'gelu',
          'model::init_type': 'kaiming_uniform',
          'optim::lr': 0.5,
          'optim::optimizer': 'sgd',
        },
      };
    });
    const { out, manifest, dropped } = await importInto(published(trials));
    expect(dropped).toEqual([]);
    expect(manifest).toMatchObject({ architecture: 'cnn-small', dataset: 'mnist', epochs: [0, 2] });
    expect(manifest.options).toEqual({ input: [28, 28, 1], classes: 10, width: null });
    expect(manifest.models.map(({ id, source, seed }) => [id, source, seed])).toEqual(
      [1, 2, 10].map((seed, i) => [`model-000${i}`, `NN_tune_trainable_${seed}_seed=${seed}`, seed]),
    );
    expect(manifest.models[0]?.hyperparameters).toEqual({
      ...assumed,
      activation: 'gelu',
      init: 'kaiming-uniform',
      learning_rate: 0.5,
      optimizer: 'sgd',
    });
    expect(manifest.models[1]?.checkpoints.map(({ epoch, test_accuracy }) => [epoch, test_accuracy])).toEqual(
      [
        [0, 0.02],
        [2, 0.22],
      ],
    );
    expect(manifest.models[0]?.checkpoints[1]).toEqual({
      epoch: 2,
      train_accuracy: null,
      test_accuracy: expect.closeTo(0.21),
      train_loss: null,
      test_loss: expect.closeTo(1.29),
      running_train_accuracy: expect.closeTo(0.31),
      running_train_loss: expect.closeTo(0.79),
    });
    // The untrained model was evaluated.
    expect(manifest.models[0]?.checkpoints[0]).toMatchObject({
      train_accuracy: expect.closeTo(0.11),
      train_loss: expect.closeTo(0.99),
      running_train_accuracy: null,
      running_train_loss: null,
    });
    expect(manifest.models.map(({ split }) => split).sort()).toEqual(['test', 'test', 'train']);
    const zoo = await openZoo(out);
    for (const [i, model] of zoo.manifest.models.entries()) {
      for (const [j, epoch] of [0, 2].entries())
        expect(await zoo.weights(model, epoch)).toEqual(weights[i]?.[j] as Weights);
    }
  });

  test('may have its trainings in folders of folders, as fine-tuned models are, and links; a link back is not followed', async () => {
    const trial = (name: string): Trial => ({
      ...{ name, checkpoints: { checkpoint_1: bytesOf(cnn, draw(cnn)) }, results: [row(1, 0.5)] },
    });
    const elsewhere = published([trial('d')]);
    const dir = published(['pre_2/a', 'pre_2/b', 'pre_10/a', 'c'].map(trial));
    symlinkSync(join(elsewhere, 'd'), join(dir, 'pre_10', 'linked'));
    symlinkSync('..', join(dir, 'pre_2', 'back'));
    const { manifest, dropped } = await importInto(dir);
    expect(manifest.models.map(({ source }) => source)).toEqual([
      ...['c', 'pre_2/a', 'pre_2/b', 'pre_10/a', 'pre_10/linked'],
    ]);
    expect(dropped).toEqual([]);
  });

  test('that begins with epoch 1 has each checkpoint’s own results, the last of several', async () => {
    const results = [row(1, 0.1), row(2, 0.2), row(2, 0.3), row(3, 0.4)];
    const dir = published([
      {
        name: 'a',
        checkpoints: {
          checkpoint_000002: bytesOf(cnn, draw(cnn)),
          checkpoint_000009: bytesOf(cnn, draw(cnn)),
        },
        results,
      },
    ]);
    // A line that was being written when the training was stopped.
    appendFileSync(join(dir, 'a', 'result.json'), '\n{"training_iter');
    const { manifest, dropped } = await importInto(dir);
    expect(manifest.models[0]?.checkpoints.map(({ epoch, test_accuracy }) => [epoch, test_accuracy])).toEqual(
      [[2, 0.3]],
    );
    expect(dropped).toEqual([
      {
        path: join(dir, 'a', 'checkpoint_000009', 'checkpoints'),
        reason: 'no accuracies of epoch 9 are known',
      },
    ]);
  });

  test('loses what diverged or is damaged, and says so', async () => {
    const nan = draw(cnn);
    (nan.get('module_list.3.bias') as Float32Array)[2] = Number.NaN;
    const good = bytesOf(cnn, draw(cnn));
    const trial = (name: string, bytes: Uint8Array): Trial => ({
      name,
      checkpoints: { checkpoint_1: bytes },
      results: [row(1, 0.5)],
    });
    const dir = published([
      trial('a', bytesOf(cnn, nan)),
      trial('b', good),
      trial('c', good.slice(0, 300)),
      { ...trial('d', good), results: [{ ...row(1, 0.5), test_acc: Number.NaN }] },
    ]);
    writeFileSync(
      join(dir, 'd', 'result.json'),
      '{"training_iteration": 1, "test_acc": NaN, "train_acc": 0.5}\n',
    );
    const { out, manifest, dropped } = await importInto(dir);
    expect(manifest.models.map(({ source }) => source)).toEqual(['b']);
    const at = (name: string) => join(dir, name, 'checkpoint_1', 'checkpoints');
    expect(dropped).toEqual([
      { path: at('a'), reason: 'module_list.3.bias has numbers that are not finite: the model diverged' },
      {
        path: at('c'),
        reason: expect.stringContaining('the zip file has no directory at its end: it is cut short'),
      },
      { path: at('d'), reason: 'no accuracies of epoch 1 are known' },
    ]);
    expect(await Bun.file(join(out, 'dropped.json')).json()).toEqual(dropped);
    expect(readdirSync(join(out, 'models'))).toEqual(['model-0001.safetensors']);
    rmSync(join(dir, 'b'), { recursive: true });
    expect(await errorOf(dir)).toBe(
      'no checkpoint of the zoo can be used; the first: DIR/a/checkpoint_1/checkpoints: module_list.3.bias has numbers that are not finite: the model diverged',
    );
  });

  test('loses trainings whose settings are damaged or not known, and only if none is left it is an error', async () => {
    const good = bytesOf(cnn, draw(cnn));
    const trial = (name: string, params: object): Trial => ({
      ...{ name, params, checkpoints: { checkpoint_1: good }, results: [row(1, 0.5)] },
    });
    const strange = { 'optim::optimizer': 'rms_prop' };
    const dir = published([trial('a', strange), trial('b', {}), trial('c', {})]);
    writeFileSync(join(dir, 'c', 'params.json'), '{"seed": ');
    const { manifest, dropped } = await importInto(dir);
    expect(manifest.models.map(({ source }) => source)).toEqual(['b']);
    expect(dropped).toEqual([
      {
        path: join(dir, 'a'),
        reason: `${join(dir, 'a')}: its training has optim::optimizer rms_prop; known are adam, sgd`,
      },
      { path: join(dir, 'c'), reason: expect.stringContaining(join(dir, 'c', 'params.json')) },
    ]);
    expect(await errorOf(published([trial('a', strange)]))).toBe(
      'DIR/a: its training has optim::optimizer rms_prop; known are adam, sgd',
    );
  });

  test('of networks for coloured images is not one of a grey data set', async () => {
    const colour = getArchitecture('cnn-large', { input: [32, 32, 3], classes: 10, width: null });
    const trial: Trial = {
      ...{ name: 'a', checkpoints: { checkpoint_1: bytesOf(colour, draw(colour)) }, results: [row(1, 0.5)] },
    };
    expect(await errorOf(published([trial]))).toBe(
      'DIR/a/checkpoint_1/checkpoints: a network for images of 3 channels, and mnist is 28x28x1: name the images that the zoo was trained on',
    );
  });

  test('of networks with batch norm keeps its running values; other names are matched by shapes', async () => {
    const weights = draw(resnet);
    const trial = (bytes: Uint8Array): Trial => ({
      name: 'a',
      checkpoints: { checkpoint_000060: bytes },
      results: [row(60, 0.7)],
    });
    for (const rename of [
      (name: string) => `_orig_mod.${name}`,
      (name: string) => name.replace('layer', 'stage'),
    ]) {
      const { out, manifest } = await importInto(published([trial(bytesOf(resnet, weights, { rename }))]));
      expect(manifest).toMatchObject({
        architecture: 'resnet18',
        options: { input: [28, 28, 1], classes: 10, width: 4 },
      });
      const zoo = await openZoo(out);
      expect(await zoo.weights(zoo.manifest.models[0]!, 60)).toEqual(weights);
    }
  });

  test('gives the epochs and models asked for; the same ones whatever the order on disk', async () => {
    const bytes = bytesOf(cnn, draw(cnn));
    const trials = Array.from(
      { length: 10 },
      (_, i): Trial => ({
        name: `t${i}`,
        checkpoints: { checkpoint_1: bytes, checkpoint_2: bytes },
        results: [row(1, 0.5), row(2, 0.6)],
      }),
    );
    const [first, second] = [
      await importInto(published(trials)),
      await importInto(published(trials.toReversed())),
    ];
    expect(second.manifest).toEqual(first.manifest);
    expect(Object.groupBy(first.manifest.models, ({ split }) => split).train).toHaveLength(6);
    const { manifest } = await importInto(published(trials), { epochs: [2, 9], models: 4 });
    expect(manifest.epochs).toEqual([2]);
    expect(manifest.models.map(({ source }) => source)).toEqual(['t0', 't1', 't2', 't3']);
    expect(await errorOf(published(trials), { epochs: [7] })).toBe(
      'the zoo has no checkpoint of the epochs 7; it has 1, 2: set zoo.checkpoints, or --epochs, to some of these',
    );
  });

  test('says what does not fit', async () => {
    const one = (bytes: Uint8Array, params = {}): Trial => ({
      name: 'a',
      checkpoints: { checkpoint_1: bytes },
      results: [row(1, 0.5)],
      params,
    });
    const unknown = bytesOf({ ...cnn, state: cnn.state.slice(2) }, draw(cnn));
    expect(await errorOf(published([one(unknown)]))).toBe(
      'DIR/a/checkpoint_1/checkpoints: its tensors are those of no architecture that is known (take the architecture tensors, which needs no layers, or write them under architectures: in an experiment); the first are module_list.3.weight [6,8,5,5], module_list.3.bias [6], module_list.6.weight [4,6,2,2]',
    );
    expect(
      await errorOf(published([one(bytesOf(cnn, draw(cnn)))]), { architecture: 'cnn-large' }),
    ).toStartWith(
      'DIR/a/checkpoint_1/checkpoints: it has not the tensors of the architecture cnn-large; the first are',
    );
    const mixed = published([
      one(bytesOf(cnn, draw(cnn))),
      { ...one(bytesOf(resnet, draw(resnet))), name: 'b' },
    ]);
    const droppedOf = async (dir: string) => (await importInto(dir)).dropped;
    expect(await droppedOf(mixed)).toEqual([
      {
        path: join(mixed, 'b', 'checkpoint_1', 'checkpoints'),
        reason: expect.stringContaining(
          'it has not the tensors of the architecture cnn-small; the first are',
        ),
      },
    ]);
    const wide = getArchitecture('resnet18', { input: [28, 28, 1], classes: 10, width: 2 });
    const sizes = published([
      one(bytesOf(resnet, draw(resnet))),
      { ...one(bytesOf(wide, draw(wide))), name: 'b' },
    ]);
    expect(await droppedOf(sizes)).toEqual([
      {
        path: join(sizes, 'b', 'checkpoint_1', 'checkpoints'),
        reason: "a network of another size than most of the zoo's; a zoo has one architecture",
      },
    ]);
    expect((await importInto(mixed, { architecture: 'tensors' })).dropped).toEqual([
      {
        path: join(mixed, 'b', 'checkpoint_1', 'checkpoints'),
        reason: expect.stringContaining(
          "its tensors are others than those of most of the zoo's networks; the first are conv1.weight [4,1,3,3]",
        ),
      },
    ]);
    // Three are no odd ones.
    const three = (spec: typeof cnn, letters: string): Trial[] =>
      [...letters].map((name) => ({ ...one(bytesOf(spec, draw(spec))), name }));
    const path = (name: string) => `DIR/${name}/checkpoint_1/checkpoints`;
    const both = published([...three(resnet, 'abc'), ...three(cnn, 'defg')]);
    expect(await errorOf(both)).toBe(
      `there are several kinds of networks: 4 of cnn-small such as ${path('d')}, 3 of resnet18 such as ${path('a')}. A zoo has one kind: import them as several zoos; name the architecture of each: --architecture cnn-small, or zoo: {import: [{folder: …, architecture: cnn-small}, {folder: …, architecture: resnet18}]}`,
    );
    expect((await importInto(both, { architecture: 'resnet18' })).manifest.models.length).toBe(3);
    expect(await errorOf(published([...three(resnet, 'abc'), ...three(wide, 'def')]))).toBe(
      `there are several kinds of networks: 3 of resnet18 such as ${path('a')}, 3 of resnet18 such as ${path('d')}. A zoo has one kind: import them as several zoos; as they go by the same name, list the files of each in the zoo.yaml of a folder of its own`,
    );
    // The odd one is first, and is left out all the same.
    const most = published([
      one(bytesOf(resnet, draw(resnet))),
      { ...one(bytesOf(cnn, draw(cnn))), name: 'b' },
      { ...one(bytesOf(cnn, draw(cnn))), name: 'c' },
    ]);
    const { manifest, dropped } = await importInto(most);
    expect(manifest.models.map(({ source }) => source)).toEqual(['b', 'c']);
    expect(dropped.map(({ path }) => path)).toEqual([join(most, 'a', 'checkpoint_1', 'checkpoints')]);
    expect(await errorOf(published([one(bytesOf(cnn, draw(cnn)), { 'model::nlin': 'leakyrelu' })]))).toBe(
      'DIR/a: its training has model::nlin leakyrelu; known are tanh, relu, gelu, sigmoid',
    );
    expect(await errorOf(published([one(bytesOf(cnn, draw(cnn)))]), { dataset: null })).toBe(
      'which images the zoo was trained on is not known: give --dataset, or `dataset` in its zoo.yaml',
    );
    const broken = published([one(bytesOf(cnn, draw(cnn)))]);
    writeFileSync(join(broken, 'a', 'result.json'), '{"a": 1}\nno\n{"a": 2}\n');
    expect(await errorOf(broken)).toStartWith('DIR/a/result.json:2: not JSON');
    expect(await errorOf(newFolder())).toBe('DIR: there is no such folder');
    const empty = newFolder();
    mkdirSync(empty);
    expect(await errorOf(empty)).toStartWith(
      'DIR: no zoo is here: neither folders of trainings with a result.json in each, nor a weights.npy of the Small CNN Zoo, nor a list of checkpoint files in zoo.yaml.',
    );
  });
});

describe('listed checkpoint files', () => {
  const weights = draw(cnn);

  function listed(list: object | string, name = 'zoo.yaml'): string {
    const dir = newFolder();
    mkdirSync(join(dir, 'sub'), { recursive: true });
    writeFileSync(join(dir, 'a.pt'), bytesOf(cnn, weights));
    writeFileSync(join(dir, 'sub', 'b.bin'), bytesOf(cnn, weights, { legacy: true }));
    writeFileSync(join(dir, name), typeof list === 'string' ? list : JSON.stringify(list));
    return dir;
  }
  const entry = { file: 'a.pt', test_accuracy: 0.5, train_accuracy: 0.6 };

  test('are read with their own splits', async () => {
    const text = `# JSON would do as well
dataset: mnist
architecture: cnn-small
checkpoints:
  - {file: sub/b.bin, model: 7, epoch: 2, test_accuracy: 0.5, running_train_accuracy: 0.6, test_loss: 1.5, split: val}
  - {file: a.pt, model: 7, epoch: 1, test_accuracy: 0.4, train_accuracy: 1, split: val}
  - {file: a.pt, test_accuracy: 0, train_accuracy: 0.1, split: train}
`;
    const nothing = {
      ...{ train_accuracy: null, train_loss: null, test_loss: null },
      ...{ running_train_accuracy: null, running_train_loss: null },
    };
    for (const name of ['zoo.yaml', 'zoo.yml']) {
      const { manifest, out } = await importInto(listed(text, name), { dataset: null });
      expect(manifest.models.map(({ source, split, seed }) => [source, split, seed])).toEqual([
        ['7', 'val', 0],
        ['a.pt', 'train', 1],
      ]);
      expect(manifest.models[0]?.checkpoints).toEqual([
        { ...nothing, epoch: 1, test_accuracy: 0.4, train_accuracy: 1 },
        { ...nothing, epoch: 2, test_accuracy: 0.5, running_train_accuracy: 0.6, test_loss: 1.5 },
      ]);
      const zoo = await openZoo(out);
      expect(await zoo.weights(zoo.manifest.models[0]!, 2)).toEqual(weights);
    }
  });

  test('are read again from what the import wrote', async () => {
    const first = await importInto(listed({ checkpoints: [entry] }, 'zoo.json'));
    const again = await importInto(first.out, { dataset: null });
    expect(again.manifest).toEqual({
      ...first.manifest,
      models: first.manifest.models.map((model) => ({ ...model, source: model.id })),
    });
    const zoo = await openZoo(again.out);
    expect(await zoo.weights(zoo.manifest.models[0]!, 0)).toEqual(weights);
    expect(await errorOf(first.out, { dataset: 'fashion-mnist' })).toBe(
      'the zoo was trained on mnist, not on fashion-mnist: change the dataset',
    );
    writeFileSync(join(first.out, 'manifest.json'), '{"name": "a web page"}');
    expect(await errorOf(first.out)).toBe('DIR/manifest.json: this is no manifest of a zoo of this program');
  });

  test('may be links, and elsewhere: absolute, above, in the home folder or where a variable says', async () => {
    const variable = (name: string) => `$${`{${name}}`}/x.pt`;
    const elsewhere = newFolder();
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, 'x.pt'), bytesOf(cnn, weights));
    process.env.ZOO_TEST = elsewhere;
    const files = ['link.pt', 'linked/x.pt', variable('ZOO_TEST'), join(elsewhere, 'x.pt')];
    const dir = listed({ checkpoints: files.map((file) => ({ ...entry, file })) });
    symlinkSync(join(elsewhere, 'x.pt'), join(dir, 'link.pt'));
    symlinkSync(elsewhere, join(dir, 'linked'));
    // A link back is no endless folder.
    symlinkSync(dir, join(dir, 'sub', 'back'));
    const { manifest, dropped } = await importInto(dir);
    expect([manifest.models.length, dropped]).toEqual([4, []]);
    const of = () => (inspectZooFolder(dir) as { fingerprint: string }).fingerprint;
    const before = of();
    appendFileSync(join(elsewhere, 'x.pt'), 'x');
    expect(of()).not.toBe(before);
    const unset = listed({ checkpoints: [{ ...entry, file: variable('NO_SUCH_VARIABLE') }] });
    expect(await errorOf(unset)).toBe(
      `DIR/zoo.yaml: checkpoints[0]: ${variable('NO_SUCH_VARIABLE')}: the environment has no variable NO_SUCH_VARIABLE`,
    );
  });

  test('have names that are text, whatever they look like; merge keys and x- blocks are taken', async () => {
    const text = `dataset: mnist
x-common: &common {test_accuracy: 0.5, train_accuracy: 0.6}
checkpoints:
  - {<<: *common, file: a.pt, model: 12e345}
  - {<<: *common, file: a.pt, model: 98e765}
  - {<<: *common, file: a.pt, model: 007}
  - {<<: *common, file: a.pt, model: yes, train_accuracy: 0.7}
`;
    const { manifest } = await importInto(listed(text));
    expect(manifest.models.map(({ source }) => source)).toEqual(['007', '12e345', '98e765', 'yes']);
    expect(manifest.models.at(-1)?.checkpoints[0]).toMatchObject({ test_accuracy: 0.5, train_accuracy: 0.7 });
  });

  test.each([
    [
      {},
      'expected a list under `checkpoints`, with an entry such as {file: a.pt, model: a, epoch: 10, test_accuracy: 0.6}',
    ],
    [
      { models: [], checkpoints: [entry] },
      'unknown key models; the keys are dataset, architecture, key, checkpoints',
    ],
    [{ dataset: [3], checkpoints: [entry] }, 'dataset is a name'],
    [{ checkpoints: [entry, {}] }, 'checkpoints[1]: expected a path under `file`'],
    [
      { checkpoints: [{ ...entry, accuracy: 1 }] },
      'checkpoints[0]: unknown key accuracy; the keys are file, model, epoch, split, train_accuracy, test_accuracy, train_loss, test_loss, running_train_accuracy, running_train_loss',
    ],
    [
      { checkpoints: [{ ...entry, running_train_accuracy: 0.5 }] },
      'checkpoints[0]: epoch 0, which is the default, is before training and has no running_train_accuracy',
    ],
    [{ checkpoints: [{ ...entry, epoch: 1.5 }] }, 'checkpoints[0]: epoch is a whole number from 0 on'],
    [
      { checkpoints: [{ ...entry, test_accuracy: 61 }] },
      'checkpoints[0]: test_accuracy 61 is no fraction from 0 to 1',
    ],
    [{ checkpoints: [{ ...entry, test_loss: 'low' }] }, 'checkpoints[0]: test_loss is a number'],
    [{ checkpoints: [{ ...entry, split: 'dev' }] }, 'checkpoints[0]: split is one of train, val, test'],
    [
      { checkpoints: [entry, { ...entry, model: 'b', split: 'val' }] },
      'either every checkpoint has a split or none has',
    ],
    [{ checkpoints: [entry, entry] }, 'model a.pt has two checkpoints of epoch 0'],
    [
      {
        checkpoints: [
          { ...entry, split: 'val' },
          { ...entry, epoch: 1, split: 'test' },
        ],
      },
      'model a.pt has checkpoints in two splits',
    ],
  ])('%j', async (list, message) => {
    expect(await errorOf(listed(list))).toBe(`DIR/zoo.yaml: ${message}`);
  });

  test('a list whose merges multiply is refused before they explode', async () => {
    const lines = ['x-0: &a0 {k: 1}'];
    for (let i = 1; i < 12; i++)
      lines.push(`x-${i}: &a${i} {<<: [${new Array(9).fill(`*a${i - 1}`).join(', ')}]}`);
    const before = performance.now();
    expect(await errorOf(listed(`${lines.join('\n')}\ncheckpoints: [{file: a.pt}]\n`))).toContain(
      'DIR/zoo.yaml: Excessive alias count',
    );
    expect(performance.now() - before).toBeLessThan(5000);
  });

  test('a list that is no YAML, and a file that is not there', async () => {
    expect(await errorOf(listed('a: [1'))).toStartWith('DIR/zoo.yaml: ');
    const { dropped } = await importInto(listed({ checkpoints: [entry, { ...entry, file: 'none.pt' }] }));
    expect(dropped).toEqual([
      expect.objectContaining({ reason: expect.stringContaining('none.pt: there is no such file') }),
    ]);
  });
});

test('a folder’s fingerprint changes with its files and not with its place', async () => {
  const dir = newFolder();
  expect(inspectZooFolder(dir)).toEqual({ problem: `there is no folder ${dir}` });
  mkdirSync(join(dir, 'sub'), { recursive: true });
  expect(inspectZooFolder(dir)).toEqual({ problem: `the folder ${dir} is empty` });
  const of = (path: string) => (inspectZooFolder(path) as { fingerprint: string }).fingerprint;
  writeFileSync(join(dir, 'sub', 'a'), 'x');
  const before = of(dir);
  expect(of(dir)).toBe(before);
  symlinkSync(dir, `${dir}-link`);
  expect(of(`${dir}-link`)).toBe(before);
  writeFileSync(join(dir, 'sub', 'b'), 'x');
  expect(of(dir)).not.toBe(before);
  // What is wrong with a manifest, importing says.
  writeFileSync(join(dir, 'manifest.json'), '{}');
  expect(Object.keys(inspectZooFolder(dir))).toEqual(['path', 'fingerprint']);
});
