/** Which runs are results of one measurement: settings that change no number part none, what others come to does. */
import { expect, test } from 'bun:test';
import type { Json } from '../../src/base/json.ts';
import { groupRuns } from '../../src/report/groups.ts';
import { table01 } from '../../src/report/tables/table-01.ts';
import { table05 } from '../../src/report/tables/table-05.ts';
import { makeRun } from './plan.ts';

const titles = (runs: Record<string, Json>[]) =>
  groupRuns(
    table01,
    runs.map((axes) => makeRun(axes)),
  )
    .filter(({ runs }) => runs.length > 0)
    .map(({ title }) => title);

test('checkpoints that are kept beside those that are used part no runs', () => {
  const used = { 'sane.checkpoints': [1, 2], 'property_prediction.checkpoints': [1, 2] };
  const used2 = { ...used, 'hyper_representation.checkpoints': [1] };
  expect(
    titles([
      { ...used2, 'zoo.checkpoints': [1, 2] },
      { ...used2, 'zoo.checkpoints': [1, 2, 3], 'zoo.seed': 1, 'sane.positions': [9, 9, 9] },
    ]),
  ).toEqual(['MNIST']);
});

test('where all checkpoints are used, which are kept parts them', () => {
  const runs = [
    [1, 2],
    [1, 2, 3],
  ].map((checkpoints) => ({ 'zoo.checkpoints': checkpoints }));
  expect(titles(runs)).toEqual([
    'MNIST, sane.checkpoints=[1,2], hyper_representation.checkpoints=[1,2]',
    'MNIST, sane.checkpoints=[1,2,3], hyper_representation.checkpoints=[1,2,3]',
  ]);
});

test('so it does where prompts of another zoo may have them from it', () => {
  const runs = [
    [1, 2],
    [1, 3],
  ].map((checkpoints) => ({
    ...makeRun({
      ...{ 'zoo.checkpoints': checkpoints, 'sane.checkpoints': [1], 'hyper_representation.checkpoints': [1] },
      'generation.prompt_zoo': { dataset: 'tiny-imagenet' },
    }),
    ...{ architecture: 'resnet18', dataset: 'cifar-100', task: 'generation' },
  }));
  expect(groupRuns(table05, runs).filter(({ runs }) => runs.length > 0)).toHaveLength(2);
});
