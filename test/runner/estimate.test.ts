import { afterAll, expect, test } from 'bun:test';
import type { Plan, StageNode } from '../../src/experiment/types.ts';
import { describeEnvironment } from '../../src/runner/environment.ts';
import { estimatePlan } from '../../src/runner/estimate.ts';
import { survey } from '../../src/runner/survey.ts';
import { workload } from '../../src/runner/workload.ts';
import { Fixture, makePlan, removeFixtures } from './fixture.ts';

afterAll(removeFixtures);

const find = (plan: Plan) => (key: string) => plan.stages.find((node) => node.key === key) as StageNode;

/** Finishes the stages of a plan in a store, as if each had taken so many seconds for a unit of its work. */
async function finish(fixture: Fixture, plan: Plan, rate: number, resumed = false): Promise<void> {
  for (const node of plan.stages) {
    const amount = workload(node, find(plan));
    await fixture.store.begin(node);
    await fixture.store.commit(node, {
      ...node,
      workload: amount,
      environment: describeEnvironment(null, null),
      timing: { finishedAt: '', seconds: amount.amount * rate, resumed },
    });
  }
}

test('work is counted in models, checkpoints and epochs', () => {
  const plan = makePlan([0], 7);
  const amounts = plan.stages.map((node) => [node.stage, workload(node, find(plan)).amount]);
  expect(amounts).toEqual([
    ['dataset', 1],
    ['zoo', 7 * 2],
    ['sane', 7 * 2 * 2],
    ['property-prediction', 7 * 2],
  ]);
});

test('time is in proportion to the work of finished stages of the same kind', async () => {
  const fixture = new Fixture();
  const plan = makePlan([5], 40);
  const states = () => survey(plan, fixture.store, { retryFailed: false });
  expect(estimatePlan(plan, states(), fixture.store, 2)).toEqual({ stages: new Map(), total: undefined });
  await finish(fixture, makePlan([0], 3), 1);
  await finish(fixture, makePlan([1], 4), 2);
  await finish(fixture, makePlan([1], 6), 4);
  await finish(fixture, makePlan([1], 9), 1000, true); // Interrupted: its seconds are not all.
  const { stages, total } = estimatePlan(plan, states(), fixture.store, 2);
  // The data set is there. Per unit of work, 1, 2 and 4 seconds were measured.
  const expected = [40 * 2 * 2, 40 * 2 * 2 * 2, 40 * 2 * 2] as const;
  expect(plan.stages.slice(1).map(({ key }) => stages.get(key))).toEqual(
    expected.map((seconds) => ({ seconds, from: 3 })),
  );
  // The zoo is divided between both workers, the others are one after the other.
  expect(total).toBe(expected[0] / 2 + expected[1] + expected[2]);
});
