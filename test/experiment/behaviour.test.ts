/** Experiments with the behaviour loss: what it reads, and where it cannot be computed. */
import { expect, test } from 'bun:test';
import type { Plan } from '../../src/experiment/types.ts';
import { mistakes, plan, valid } from './files.ts';

const withSane = (settings: string, text = valid) => text.replace('sane:\n', `sane:\n${settings}`);
const whole = '  window: 48\n';
const imported = (zoo: string) => withSane('  beta: 0.5\n', valid.replace('models: 20\n  epochs: 5', zoo));
const options = { inspectFolder: (path: string) => ({ path, fingerprint: 'f' }) };

const saneOf = ({ stages }: Plan) => stages.find(({ stage }) => stage === 'sane')!;

test('SANE reads the images that its zoo was trained on where networks are asked, and only there', () => {
  const asking = plan(withSane(`${whole}  beta: 0.5\n`));
  const zoo = asking.stages.find(({ stage }) => stage === 'zoo')!;
  expect(saneOf(asking).inputs.dataset).toBe(zoo.inputs.dataset!);
  expect(saneOf(asking).config).toMatchObject({ beta: 0.5, queries: 256 });
  const structure = saneOf(plan(withSane(`${whole}  beta: 1\n`)));
  expect(structure.inputs.dataset).toBeUndefined();
  expect(structure.config).toMatchObject({ beta: 1 });
  expect(structure.config).not.toHaveProperty('queries');
  const off = saneOf(plan(withSane(`${whole}  beta: null\n  queries: 9\n`)));
  expect(off.key).toBe(saneOf(plan(withSane(whole))).key);
});

test.each([
  [
    'a window that does not hold the network',
    withSane('  beta: 0.5\n  token_size: 100\n'),
    'sane.window: the behaviour loss decodes whole networks, and cnn-small has 60 tokens of 100',
    'received a window of 32',
    'set sane.window to 60 or more, or sane.beta to null or 1',
  ],
  [
    'batch normalisation',
    withSane('  beta: 0.5\n  window: 9999\n', valid.replace('cnn-small', 'resnet18')),
    'sane.beta: the behaviour loss computes networks without batch normalisation, and resnet18 has some',
    'set sane.beta to null or 1',
  ],
  [
    'several activations',
    withSane(`${whole}  beta: 0\n`, valid.replace('zoo:\n', 'zoo:\n  vary: {activation: [tanh, relu]}\n')),
    'sane.beta: the behaviour loss computes all networks of a batch with one activation',
    'received activations tanh, relu',
    'leave activation out of zoo.vary',
  ],
  [
    'several zoos',
    imported('import: [a, b]'),
    'sane.beta: the behaviour loss asks the networks of one zoo about its images',
    'received 2 zoos',
    'set sane.beta to null or 1, or name one zoo',
  ],
  [
    'networks of which only the tensors are known',
    imported('import: a').replace('cnn-small', 'tensors'),
    'sane.beta: the behaviour loss computes networks, and of tensors only the tensors are known',
    'set sane.beta to null or 1, or write the layers under architectures',
  ],
] as [string, string, ...string[]][])('%s: an error with the remedy', (_, text, ...parts) => {
  const all = mistakes(text, options);
  for (const part of parts) expect(all).toContain(part);
});
