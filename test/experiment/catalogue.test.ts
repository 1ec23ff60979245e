/** Planning knows what its catalogue has, and nothing else. */
import { expect, test } from 'bun:test';
import { planExperiment } from '../../src/experiment/expand.ts';
import { parseExperiment } from '../../src/experiment/parse.ts';
import { catalogue } from '../../src/stages/catalogue.ts';
import { mistakes, valid } from './files.ts';

const text = valid
  .replace('cnn-small', 'cnn-own')
  .replace('glyphs', 'sketches')
  .replace('epochs: 5', 'width: 3');

test('an architecture and a data set of an experiment alone are planned as all others', () => {
  const own = {
    ...catalogue,
    architectures: {
      ...catalogue.architectures,
      'cnn-own': { ...catalogue.architectures.resnet18!, name: 'cnn-own' },
    },
    datasets: {
      ...catalogue.datasets,
      sketches: { ...catalogue.datasets.glyphs!, name: 'sketches', standsFor: [] },
    },
  };
  const { stages, runs } = planExperiment(parseExperiment(text, 'e.yaml', own));
  expect(stages.map(({ label }) => label)).toContain('zoo cnn-own/sketches');
  expect(stages[0]?.config).toEqual({ dataset: 'sketches', train_images: null, test_images: null });
  expect(runs).toHaveLength(2);
});

test('without it they are mistakes', () => {
  const told = mistakes(text);
  expect(told).toContain('grid.architecture.0: unknown value');
  expect(told).toContain('grid.dataset.0: unknown value');
});

test('of another catalogue have its recipes and stand-ins', () => {
  const recipe = { architecture: 'cnn-small', dataset: 'usps', set: { 'zoo.batch_size': 77 } };
  const other = {
    ...catalogue,
    recipes: [recipe],
    datasets: {
      ...catalogue.datasets,
      glyphs: { ...catalogue.datasets.glyphs!, standsFor: ['svhn', 'usps'] },
    },
  };
  const [run] = planExperiment(parseExperiment(valid, 'e.yaml', other)).runs;
  expect(run?.settings.zoo.batch_size).toBe(77);
  expect(run?.differences).toContainEqual({ setting: 'zoo.models', value: 20, paper: 1000 });
  expect(run?.differences.map(({ setting }) => setting)).not.toContain('zoo.batch_size');
});
