/** What is said of runs that no table holds. */
import { expect, test } from 'bun:test';
import type { Run } from '../../src/experiment/types.ts';
import { describeUntabled } from '../../src/report/untabled.ts';
import { makePlan, makeRun } from './plan.ts';

const done = (runs: Run[]) => new Map(runs.map(({ id }) => [id, { status: 'done' as const, records: [] }]));
const fileOf = ({ resultKey }: Run) => `/store/${resultKey}/result.json`;
const generation = (axes: Parameters<typeof makeRun>[0]): Run => ({
  ...makeRun(axes),
  ...{ task: 'generation', dataset: 'mnist' },
});
const home = generation({ seed: 0 });
const transfer = [1, 2, 3, 4, 5].map((seed) => generation({ seed, 'generation.target_dataset': 'svhn' }));

test('runs of transfer are named with their results, and nothing where tables hold all', () => {
  const [first, second] = transfer as [Run, Run];
  const key = (seed: number) => `/store/key of seed=${seed},generation.target_dataset=svhn/result.json`;
  const plan = (runs: Run[]) => ({ ...makePlan(runs, []), tables: null });
  expect(describeUntabled(plan([home]), done([home]), fileOf)).toBeUndefined();
  expect(describeUntabled(plan([home, first]), done([home, first]), fileOf)).toBe(
    `1 run is in no table of this experiment; its result: ${key(1)}`,
  );
  expect(describeUntabled(plan([first, second]), done([first, second]), fileOf)).toBe(
    `2 runs are in no table of this experiment; their results: ${key(1)}, ${key(2)}`,
  );
  expect(describeUntabled(plan(transfer), done(transfer), fileOf)).toBe(
    `5 runs are in no table of this experiment; their results: ${key(1)}, ${key(2)}, ${key(3)}, and 2 more`,
  );
  // What is not there yet has no result to be named, and two runs may share one.
  expect(describeUntabled(plan([first, second]), done([second]), () => 'same')).toBe(
    '1 run is in no table of this experiment; its result: same',
  );
  expect(describeUntabled(plan([first, second]), done([first, second]), () => 'same')).toBe(
    '2 runs are in no table of this experiment; their results: same',
  );
});

test('tables that the experiment does not ask for hold nothing', () => {
  expect(describeUntabled(makePlan([home], [3]), done([home]), fileOf)).toBeUndefined();
  expect(describeUntabled(makePlan([home], [1]), done([home]), fileOf)).toContain('1 run is in no table');
});
