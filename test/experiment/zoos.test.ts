/** Experiments on several imported zoos: which zoos a run has, which it is about, and what is wrong with lists of them. */
import { afterAll, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Plan } from '../../src/experiment/types.ts';
import { inspectZooFolder } from '../../src/zoo/import/fingerprint.ts';
import { mistakes, plan } from './files.ts';

const dir = mkdtempSync(join(tmpdir(), 'zoos-'));
afterAll(() => rmSync(dir, { recursive: true }));
const inspectFolder = (path: string) => inspectZooFolder(join(dir, path));

/** A folder with a list that says this of its networks. */
function folder(name: string, said: string): string {
  mkdirSync(join(dir, name));
  writeFileSync(join(dir, name, 'zoo.yaml'), `${said}checkpoints: [{file: a.pt, model: ${name}}]\n`);
  return name;
}
const [first, second] = [folder('first', ''), folder('second', 'architecture: mini\ndataset: mnist\n')];
const grey = folder('grey', 'dataset: mnist\n');
folder('strange', 'architecture: cnn-smal\n');

const text = (zoos: string, grid = 'architecture: [cnn-small], dataset: [glyphs]', more = '') => `name: mixed
architectures:
  mini: {input: [28, 28, 1], layers: [{kind: flatten}, {kind: linear, name: head, outputs: classes}]}
grid: {${grid}, task: [property-prediction]}
zoo: {import: ${zoos}, models: 20}
sane: {epochs: 3, token_size: 30${more}}
`;
const keys = ({ stages }: Plan, stage: string) =>
  stages.filter((node) => node.stage === stage).map(({ key }) => key);
const planned = (...args: Parameters<typeof text>) => plan(text(...args), { inspectFolder });
const wrong = (...args: Parameters<typeof text>) => mistakes(text(...args), { inspectFolder });

test('what an entry does not say of its networks, the folder does, or else the run', () => {
  const { stages } = planned(`[${first}, ${second}]`);
  const zoos = stages.filter(({ stage }) => stage === 'zoo-import').map(({ config }) => config);
  expect(zoos).toMatchObject([
    { architecture: 'cnn-small', dataset: 'glyphs' },
    { architecture: 'mini', dataset: 'mnist', written: { input: [28, 28, 1] } },
  ]);
  const sane = stages.find(({ stage }) => stage === 'sane')!;
  expect(Object.keys(sane.inputs)).toEqual(['zoo', 'alignment', 'zoo-2', 'alignment-2']);
  expect(sane.label).toBe('sane cnn-small/glyphs + mini/mnist seed 0');
});

test('a zoo has one key, alone and in a list, and a list of one is that one', () => {
  const list = planned(`[${first}, ${second}]`);
  const alone = planned(first);
  expect(keys(list, 'zoo-import')).toContain(keys(alone, 'zoo-import')[0]!);
  expect(keys(planned(`[${first}]`), 'property-prediction')).toEqual(keys(alone, 'property-prediction'));
  expect(keys(list, 'sane')).not.toEqual(keys(alone, 'sane'));
});

test('runs about the zoos of one list share their SANE', () => {
  const zoos = `[{folder: ${first}, architecture: tensors}, {folder: ${second}, dataset: glyphs}]`;
  const both = planned(
    zoos,
    'architecture: [tensors, mini], dataset: [glyphs]',
    ', alignment: false, view_2: canonical',
  );
  expect(keys(both, 'sane').length).toBe(1);
  const predictions = both.stages.filter(({ stage }) => stage === 'property-prediction');
  expect(predictions.map(({ config }) => config.home)).toEqual([undefined, 1]);
});

test('what a zoo does not say of its training is that of its own networks, also in runs about others', () => {
  const zoos = `[{folder: ${first}, architecture: cnn-small, dataset: glyphs}, {folder: ${grey}, architecture: resnet18, dataset: cifar-10}]`;
  const grid = 'architecture: [cnn-small, resnet18], dataset: [glyphs, cifar-10]';
  const exclude =
    '}\nexclude: [{architecture: cnn-small, dataset: cifar-10}, {architecture: resnet18, dataset: glyphs}]\nproperty_prediction: {checkpoints: [1]';
  const list = planned(zoos, grid, exclude).stages.filter(({ stage }) => stage === 'zoo-import');
  const of = (name: string) =>
    list
      .filter(({ config }) => config.architecture === name)
      .map(({ config }) => (config.assumed as { activation: string }).activation);
  expect(new Set(of('cnn-small'))).toEqual(new Set(['tanh']));
  expect(new Set(of('resnet18'))).toEqual(new Set(['relu']));
});

test('a list for prompts none of which has their networks is a mistake at its place', () => {
  const generation = text(first)
    .replace('[property-prediction]', '[generation]')
    .concat(
      `generation: {prompt_zoo: {zoo: {import: [{folder: ${second}, architecture: mini}]}}, methods: [sub]}\n`,
    );
  expect(mistakes(generation, { inspectFolder })).toContain(
    'generation.prompt_zoo.zoo.import: none of these zoos is of cnn-small on glyphs',
  );
});

test('what is wrong with a list of zoos is said at the entry, with the remedy', () => {
  const none = (received: string) =>
    `zoo.import: none of these zoos is of cnn-small on glyphs (run property-prediction)|received ${received}|  a run is about one of them: name its architecture and data set in grid, or give the entries theirs, as {folder: …, architecture: …}`;
  const cases: [string, string][] = [
    [`[${second}, {folder: ${grey}, architecture: mini}]`, none('mini on mnist, mini on mnist')],
    [`[{folder: ${first}, architecture: mini}]`, none('mini on glyphs')],
    [
      `[${first}, strange]`,
      'zoo.import.1: the folder says that its networks are cnn-smal, which is not known here (run property-prediction)|did you mean cnn-small?',
    ],
    [
      `[${first}, {folder: ${second}, architecture: tensors}]`,
      'sane.alignment: it reorders hidden units, and of tensors only the tensors are known|set sane.alignment to false',
    ],
    [`[${first}, none]`, `zoo.import.1: there is no folder ${join(dir, 'none')}`],
    ['[{architecture: mini}]', 'zoo.import.0: the key folder is missing|add `folder:`'],
  ];
  for (const [zoos, parts] of cases) {
    const text = wrong(zoos);
    for (const part of parts.split('|')) expect(text).toContain(part);
  }
});
