/** What an editor sees: the committed schema alone, in a plain validator, on mistakes that people make while typing. */
import { describe, expect, test } from 'bun:test';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import schema from '../../schemas/experiment.schema.json' with { type: 'json' };
import { valid } from './files.ts';

const validate = new Ajv({ allowUnionTypes: true }).compile(schema);
const isMarked = (text: string) => !validate(parse(text));

const seeds = '  seed: [0, 1]\n';
const override = (when: string, set: string) => `overrides:\n  - {when: {${when}}, set: {${set}}}\n`;

describe('an editor marks', () => {
  test.each([
    ['a misspelt block', 'zoo:', 'zooo:'],
    ['a misspelt setting', 'models:', 'modles:'],
    ['a misspelt axis', 'seed:', 'sede:'],
    ['a misspelt data set', 'glyphs', 'glyhps'],
    ['a misspelt architecture', 'cnn-small', 'cnn-smal'],
    ['a misspelt task', 'property-prediction', 'property-predicton'],
    ['an axis that is no list', '[0, 1]', '0'],
    ['a value of the wrong type', 'models: 20', 'models: many'],
    ['a value out of range', 'models: 20', 'models: 2'],
    ['a value that appears twice in the grid', '[0, 1]', '[1, 1]'],
    ['a misspelt setting in the grid', seeds, `${seeds}  sane.gama: [0.1]\n`],
    ['a setting of another block in the grid', seeds, `${seeds}  zoo.gamma: [0.1]\n`],
    ['a wrong value of a setting in the grid', seeds, `${seeds}  sane.gamma: [2]\n`],
    ['a setting in the grid that is no list', seeds, `${seeds}  sane.gamma: 0.1\n`],
    ['a value that is no choice in the grid', seeds, `${seeds}  sane.view_1: [permuted, aligned]\n`],
    ['a misspelt setting in zip', 'zoo:\n', 'zip:\n  - {sane.gama: [0.1]}\nzoo:\n'],
    ['a wrong value in zip', 'zoo:\n', 'zip:\n  - {sane.gamma: [-1]}\nzoo:\n'],
    ['a misspelt setting in include', 'zoo:\n', 'include:\n  - {sane.gama: 0.1}\nzoo:\n'],
    ['a wrong value in include', 'zoo:\n', 'include:\n  - {dataset: mnits}\nzoo:\n'],
    ['a misspelt axis in exclude', 'zoo:\n', 'exclude:\n  - {sede: 0}\nzoo:\n'],
    ['a misspelt value in exclude', 'zoo:\n', 'exclude:\n  - {dataset: [glyphs, mnits]}\nzoo:\n'],
    ['a wrong value in exclude', 'zoo:\n', 'exclude:\n  - {seed: one}\nzoo:\n'],
    ['a misspelt setting in when', 'zoo:\n', `${override('sane.gama: 0', 'sane.epochs: 9')}zoo:\n`],
    ['a wrong value in when', 'zoo:\n', `${override('sane.gamma: high', 'sane.epochs: 9')}zoo:\n`],
    ['a misspelt setting in set', 'zoo:\n', `${override('seed: 0', 'sane.epochz: 9')}zoo:\n`],
    ['a wrong value in set', 'zoo:\n', `${override('seed: 0', 'sane.epochs: -1')}zoo:\n`],
    ['an axis in set', 'zoo:\n', `${override('seed: 0', 'dataset: mnist')}zoo:\n`],
    ['a block in set', 'zoo:\n', `${override('seed: 0', 'sane: {epochs: 9}')}zoo:\n`],
    ['a table that there is not', 'zoo:\n', 'tables: [8]\nzoo:\n'],
    ['a device that there is not', 'zoo:\n', 'device: cuda\nzoo:\n'],
    ['a missing name', 'name: test\n', ''],
    ['a folder of images that has none', 'zoo:\n', 'datasets: {pets: {resize: 32}}\nzoo:\n'],
    [
      'a misspelt setting of a folder of images',
      'zoo:\n',
      'datasets: {pets: {folder: a, resise: 32}}\nzoo:\n',
    ],
  ])('%s', (_, from, to) => {
    const text = valid.replace(from, to);
    expect(text).not.toBe(valid);
    expect(isMarked(text)).toBe(true);
  });

  test.each([
    ['the experiment itself', ''],
    [
      'an architecture of the experiment',
      'architectures: {lenet3: lenet3.yaml}\nexclude:\n  - {architecture: lenet3, seed: 1}\n',
    ],
    [
      'a data set of the experiment',
      'datasets: {pets: {folder: ~/pets, resize: 32}}\nexclude:\n  - {dataset: [pets], seed: 1}\n',
    ],
    ['settings wherever they may be', 'zip:\n  - {sane.gamma: [0.1, 0.1], zoo.seed: [1, 2]}\n'],
    ['a run that is added', 'include:\n  - {dataset: mnist, seed: 3, sane.gamma: 0.2}\n'],
    ['one value or several that are taken out', 'exclude:\n  - {dataset: [mnist, svhn], seed: 1}\n'],
    ['lists as values', 'exclude:\n  - {zoo.checkpoints: [1, 5]}\n  - {zoo.checkpoints: [[1, 5], [2]]}\n'],
    ['settings for some runs', override('seed: [0, 1]', 'zoo.checkpoints: [1], sane.permutations: null')],
  ])('nothing about %s', (_, addition) => {
    expect(isMarked(valid + addition)).toBe(false);
  });
});

/** What yaml-language-server 2.0.0 makes of a schema, found by trying: it joins a `$ref` with what stands beside it. */
describe('for editors there is', () => {
  type Node = Record<string, unknown>;
  const nodes: Node[] = [];
  const visit = (node: unknown) => {
    if (typeof node !== 'object' || node === null) return;
    nodes.push(node as Node);
    for (const part of Object.values(node)) visit(part);
  };
  visit(schema);

  test('no rule beside a reference, where joining the two would undo `additionalProperties`', () => {
    const beside = nodes.filter(({ $ref }) => typeof $ref === 'string').flatMap(Object.keys);
    expect([...new Set(beside)].sort()).toEqual(['$ref', 'default', 'description']);
  });

  test('no text that is null by default, at which all completion around it ends', () => {
    expect(nodes.filter((node) => node.default === null && [node.type].flat()[0] === 'string')).toEqual([]);
  });

  test('no default of a setting in what is completed as a whole', () => {
    const { assignment, changes } = schema.$defs;
    for (const property of Object.values({ ...assignment.properties, ...changes.properties }))
      expect(Object.keys(property).sort()).toEqual(['allOf', 'description']);
  });
});
