import { afterAll, describe, expect, test } from 'bun:test';
import { sizeOf } from '../../src/base/shape.ts';
import type { Plan, StageNode } from '../../src/experiment/types.ts';
import { getArchitecture } from '../../src/nets/registry.ts';
import { describeEnvironment } from '../../src/runner/environment.ts';
import { estimatePlan } from '../../src/runner/estimate.ts';
import { survey } from '../../src/runner/survey.ts';
import { workload } from '../../src/runner/workload.ts';
import { saneParameters } from '../../src/sane/parameters.ts';
import { forwardOperations } from '../../src/stages/operations.ts';
import { plan as planText, valid } from '../experiment/files.ts';
import { Fixture, makePlan, removeFixtures } from './fixture.ts';

afterAll(removeFixtures);

const find = (plan: Plan) => (key: string) => plan.stages.find((node) => node.key === key) as StageNode;

/** Finishes the stages of a plan in a store, as if each had taken so many seconds for a unit of its work. */
async function finish(fixture: Fixture, plan: Plan, rate: number, resumed = false): Promise<void> {
  for (const node of plan.stages) {
    const amount = workload(node, find(plan));
    const { dir } = await fixture.store.begin(node);
    await fixture.store.commit(node, dir, {
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

describe('work of other sizes', () => {
  const text = (more: string) =>
    `${valid.replace('[cnn-small]', '[resnet18]').replace('[property-prediction]', '[generation]')}${more}`;
  const workOf = (more: string, stage: string, zoo = '') => {
    const planned = planText(text(more).replace('epochs: 5', `epochs: 5${zoo}`));
    return workload(planned.stages.find((node) => node.stage === stage) as StageNode, find(planned));
  };

  test('is of another kind where networks are of another width', () => {
    for (const stage of ['zoo', 'alignment', 'sane', 'generation'] as const) {
      const [own, narrow] = ['', '\n  width: 8'].map((zoo) => workOf('', stage, zoo));
      expect(narrow!.kind).not.toBe(own!.kind);
      expect(narrow!.amount).toBe(own!.amount);
    }
  });

  test('of generation counts what is drawn and what is fine-tuned, and conditioning is another kind', () => {
    const work = (more: string) =>
      workOf(`generation: {epochs: [0, 1], samples: 4, ${more}}\n`, 'generation');
    const amount = (more: string) => work(more).amount;
    // Four networks for an epoch, and each of the draws for a third of one.
    expect(amount('methods: [kde30]')).toBeCloseTo(4 + 4 / 3, 9);
    expect(amount('methods: [sub], candidates: 12')).toBeCloseTo(4 + 12 / 3, 9);
    expect(amount('methods: [boot], candidates: 12, rounds: 2')).toBeCloseTo(4 + (2 * 12) / 3, 9);
    expect(amount('methods: [gauss, kde30], candidates: 12, rounds: 3')).toBeCloseTo(8 + (3 * 12 + 4) / 3, 9);
    expect(work('conditioning_batches: 7').kind).not.toBe(work('conditioning_batches: 0').kind);
    expect(work('rounds: 7').kind).toBe(work('rounds: 9').kind);
  });
});

test('where nothing was timed, time is guessed from operations, and disk from weights', async () => {
  const { store } = new Fixture();
  const plan = planText(valid);
  const estimate = async (text: string) => {
    const plan = planText(text);
    return estimatePlan(plan, await survey(plan, store, { retryFailed: false }), store, 2);
  };
  const { stages, total, bytes } = await estimate(valid);
  expect([...stages.values()].map(({ from }) => from)).toEqual(plan.stages.map(() => 0));
  // 50,000 images, as the recipe of MNIST has it, and 2,000; 20 models at three checkpoints, of 2464 weights each, and two SANEs, with positions for 48 tokens, 5 layers, 20 rows.
  const { sane } = plan.runs[0]!.settings;
  const parameters = saneParameters({ ...sane, positions: [48, 5, 20] });
  const numbers = parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  expect(bytes / (52_000 * 785 + 4 * (20 * 3 * 2464 + 2 * numbers))).toBeWithin(0.998, 1.002);
  expect(total).toBeGreaterThan(0);
  const larger = await estimate(valid.replace('models: 20', 'models: 200'));
  expect((larger.total as number) / (total as number)).toBeWithin(8, 12);
});

test('networks that are only run on images count, and validation images take room', async () => {
  const { store } = new Fixture();
  const network = getArchitecture('cnn-small', { input: [28, 28, 1], classes: 10, width: null });
  const estimate = async (images: string, settings = '') => {
    const plan = planText(
      `${valid.replace('[property-prediction]', '[generation]').replace(', 1]', ']')}data: {${images}}\n` +
        `generation: {methods: [sub], candidates: 30, samples: 4, epochs: [0, 1, 5]${settings}}\n`,
    );
    const states = await survey(plan, store, { retryFailed: false });
    const { stages, bytes } = estimatePlan(plan, states, store, 1, 1);
    const of = (name: string) => {
      const node = plan.stages.find(({ stage }) => stage === name) as StageNode;
      return (stages.get(node.key)!.seconds * 30e9) / forwardOperations(network, 1);
    };
    return { zoo: of('zoo'), generation: of('generation'), bytes };
  };
  const few = await estimate('train_images: 100, test_images: 10', ', validation_images: 20');
  // All candidates are scored.
  const judged = await estimate('train_images: 100, test_images: 10', ', validation_images: 1020');
  expect(judged.generation - few.generation).toBeCloseTo(30 * 1000, 3);
  expect(judged.bytes - few.bytes).toBe(1000 * 785);
  // 20 models at three checkpoints; four samples at three epochs, alone and together. Two data sets.
  const tested = await estimate('train_images: 100, test_images: 1010', ', validation_images: 20');
  expect(tested.zoo - few.zoo).toBeCloseTo(20 * 3 * 1000, 3);
  expect(tested.generation - few.generation).toBeCloseTo(4 * 3 * 2 * 1000, 3);
  expect(tested.bytes - few.bytes).toBe(2 * 1000 * 785);
});

test('every kind of stage has a guess', async () => {
  const { store } = new Fixture();
  const tasks = 'task: [property-prediction, generation, reconstruction, analysis], seed: [0]';
  const plan = planText(
    `name: all\ngrid: {architecture: [cnn-small], dataset: [mnist], ${tasks}}\ngeneration: {methods: [scratch, hyper-representation, sub]}\n`,
  );
  const { stages } = estimatePlan(plan, await survey(plan, store, { retryFailed: false }), store, 2);
  const of = new Map(plan.stages.map(({ stage, key }) => [stage, stages.get(key)?.seconds]));
  expect([...of.keys()].sort()).toEqual(
    ['alignment', 'analysis', 'baseline-probes', 'dataset', 'generation'].concat([
      'hyper-representation',
      'property-prediction',
      'reconstruction',
      'sane',
      'zoo',
    ]),
  );
  for (const [stage, seconds] of of)
    expect({ stage, told: Number.isFinite(seconds) }).toEqual({ stage, told: true });
});

test('time is in proportion to the work of finished stages of the same kind', async () => {
  const fixture = new Fixture();
  const plan = makePlan([5], 40);
  const states = () => survey(plan, fixture.store, { retryFailed: false });
  await finish(fixture, makePlan([0], 3), 1);
  await finish(fixture, makePlan([1], 4), 2);
  await finish(fixture, makePlan([1], 6), 4);
  await finish(fixture, makePlan([1], 9), 1000, true); // Interrupted: its seconds are not all.
  const { stages, total } = estimatePlan(plan, await states(), fixture.store, 2);
  // The data set is there. Per unit of work, 1, 2 and 4 seconds were measured.
  const expected = [40 * 2 * 2, 40 * 2 * 2 * 2, 40 * 2 * 2] as const;
  // The zoo is divided between both workers, the others are one after the other.
  const ends = [expected[0] / 2, expected[0] / 2 + expected[1], expected[0] / 2 + expected[1] + expected[2]];
  expect(plan.stages.slice(1).map(({ key }) => stages.get(key))).toEqual(
    expected.map((seconds, i) => ({ seconds, from: 3, end: ends[i] as number })),
  );
  expect(total).toBe(ends[2]);
});
