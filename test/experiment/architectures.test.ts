/** Architectures that an experiment writes itself: names, keys, and what is wrong with them, at its line. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadExperiment } from '../../src/experiment/load.ts';
import { ExperimentError, formatProblems } from '../../src/experiment/problems.ts';
import { catalogue } from '../../src/stages/catalogue.ts';
import { mistakes, plan, valid } from './files.ts';

const layers = `
    input: [28, 28, 1]
    layers:
      - { kind: conv2d, name: conv1, outputs: 4, kernel: 5 }
      - { kind: max-pool }
      - { kind: activation, function: relu }
      - { kind: flatten }
      - { kind: linear, name: fc, outputs: classes }
`;
const own = `${valid.replace('cnn-small', 'lenet3')}architectures:
  lenet3:${layers}`;
const keysOf = (text: string) =>
  Object.fromEntries(plan(text).stages.map(({ stage, key, config }) => [stage, { key, config }]));

test('its name is a value of the axis, and its layers are in the keys', () => {
  const before = keysOf(own);
  expect(plan(own).runs.map(({ architecture }) => architecture)).toEqual(['lenet3', 'lenet3']);
  expect(before.zoo!.config.written).toMatchObject({ input: [28, 28, 1] });
  const other = keysOf(own.replace('outputs: 4', 'outputs: 5'));
  expect(other.dataset).toEqual(before.dataset!);
  for (const stage of ['zoo', 'alignment', 'sane', 'property-prediction']) {
    expect({ stage, same: other[stage]!.key === before[stage]!.key }).toEqual({ stage, same: false });
  }
  // How it is written does not matter.
  const spaced = keysOf(own.replace('{ kind: flatten }', 'kind: flatten'));
  expect(spaced).toEqual(before);
  // What the program knows has the keys that it had, whatever else is written there.
  expect(keysOf(`${valid}architectures:\n  lenet3:${layers}`)).toEqual(keysOf(valid));
});

describe('a mistake is shown at its layer', () => {
  test('in full', () => {
    expect(mistakes(own.replace('kernel: 5', 'kernel: 29'))).toBe(
      [
        'e.yaml:16:9 error architectures.lenet3.layers.0: nothing of the image is left after conv1: it is too small',
        '  16 |       - { kind: conv2d, name: conv1, outputs: 4, kernel: 29 }',
        '     |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^',
        '',
        '1 mistake, nothing was run.',
      ].join('\n'),
    );
  });

  test.each([
    [
      'a misspelt key',
      ['kernel: 5', 'kernal: 5'],
      ['e.yaml:16:50', 'architectures.lenet3.layers.0.kernal: unknown key', 'did you mean kernel?'],
    ],
    [
      'a kind that there is not',
      ['kind: max-pool', 'kind: maxpool'],
      ['e.yaml:17:17', 'architectures.lenet3.layers.1.kind', 'received "maxpool"', 'did you mean max-pool?'],
    ],
    [
      'no flatten',
      ['      - { kind: flatten }\n', ''],
      ['e.yaml:19:9', 'fc takes a vector, it gets 12 x 12 x 4: put flatten or global-average-pool before it'],
    ],
    [
      'a name that there is already',
      ['  lenet3:\n', '  resnet18:\n'],
      ['e.yaml:13:3', 'architectures.resnet18: there is an architecture resnet18 already', 'my-resnet18'],
    ],
    [
      'images of another size',
      ['dataset: [glyphs]', 'dataset: [cifar-10]'],
      ['lenet3 takes images of 28 x 28 x 1, these have 32 x 32 x 3', 'received data set cifar-10'],
    ],
    [
      'a name that is not written',
      ['architecture: [lenet3]', 'architecture: [lenet4]'],
      ['e.yaml:3:18', 'did you mean lenet3?'],
    ],
  ] as const)('%s', (_, [from, to], expected) => {
    expect(own).toContain(from);
    const text = mistakes(own.replace(from, to));
    for (const part of expected) expect(text).toContain(part);
  });

  test('the end of a network that is no vector', () => {
    const text = mistakes(
      own.replace('      - { kind: flatten }\n      - { kind: linear, name: fc, outputs: classes }\n', ''),
    );
    expect(text).toContain(
      'e.yaml:18:9 error architectures.lenet3.layers.2: the network gives 12 x 12 x 4 numbers',
    );
    expect(text).toContain('end it with `kind: global-average-pool` or `kind: flatten`');
  });
});

describe('in a file of its own', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'architectures-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const experiment = `${valid.replace('cnn-small', 'lenet3')}architectures: { lenet3: nets/lenet3.yaml }\n`;
  const load = async (architecture: string | undefined) => {
    const file = join(folder, 'e.yaml');
    writeFileSync(file, experiment.replace('nets/', ''));
    if (architecture !== undefined) writeFileSync(join(folder, 'lenet3.yaml'), architecture);
    try {
      return await loadExperiment(file, catalogue);
    } catch (error) {
      if (error instanceof ExperimentError)
        return formatProblems(error, { color: false }).replaceAll(folder, 'DIR');
      throw error;
    }
  };

  test('that is not there', async () => {
    const text = await load(undefined);
    expect(text).toContain('architectures.lenet3: there is no such file');
    expect(text).toContain('received lenet3.yaml');
  });

  test('that is wrong: its own line is shown', async () => {
    const text = await load(
      `input: [28, 28, 1]\nlayers:\n  - { kind: conv2d, name: a, outputs: 4, kernel: 30 }\n`,
    );
    expect(text).toContain('DIR/lenet3.yaml:3:5 error layers.0: nothing of the image is left after a');
    expect(await load('input: [28, 28\n')).toContain('DIR/lenet3.yaml:');
    expect(await load('just text\n')).toContain('DIR/lenet3.yaml');
  });

  test('is the same architecture as in the experiment', async () => {
    const parsed = await load(layers.replace(/^ {4}/gm, ''));
    const { architectures } = (parsed as Exclude<typeof parsed, string>).catalogue;
    expect(architectures.lenet3?.written).toEqual(
      plan(own).stages.find(({ stage }) => stage === 'zoo')?.config.written,
    );
  });
});

describe('of which only the tensors are known', () => {
  const opaque = valid.replace('cnn-small', 'tensors');
  const options = { inspectFolder: (path: string) => ({ path, fingerprint: 'f' }) };
  const imported = opaque
    .replace('models: 20\n  epochs: 5', 'import: zoo')
    .replace('sane:\n', 'sane:\n  alignment: false\n  view_2: canonical\n');

  test('what needs no layers is planned', () => {
    const stages = (task: string) =>
      plan(imported.replace('property-prediction', task), options).stages.map(({ stage }) => stage);
    expect(new Set(stages('property-prediction'))).toEqual(
      new Set(['zoo-import', 'baseline-probes', 'sane', 'property-prediction']),
    );
    expect(new Set(stages('reconstruction'))).toEqual(new Set(['zoo-import', 'sane', 'reconstruction']));
  });

  test('what needs them says so, with the remedy', () => {
    const all = mistakes(opaque);
    expect(all).toContain('zoo.import: of tensors only the tensors are known, which cannot be trained');
    expect(all).toContain(
      'set zoo.import to a zoo of such networks, or write their layers under architectures',
    );
    expect(all).toContain(
      'sane.alignment: it reorders hidden units, and of tensors only the tensors are known',
    );
    expect(all).toContain('set sane.alignment to false, or write the layers under architectures');
    expect(all).toContain('set sane.view_2 to canonical');
    const generation = mistakes(imported.replace('property-prediction', 'generation'), options);
    expect(generation).toContain(
      'grid.task: generated networks are conditioned and evaluated, and of tensors only the tensors are known',
    );
    expect(generation).toContain('or take `exp sample`, which only writes weights');
  });
});
