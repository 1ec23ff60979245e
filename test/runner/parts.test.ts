/** Parts of a stage that other machines compute, and the whole. */
import { afterAll, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { Lease } from '../../src/base/lease.ts';
import type { StageNode } from '../../src/experiment/types.ts';
import { begunParts, gatherParts } from '../../src/runner/parts.ts';
import { StageRunner } from '../../src/runner/stage-runner.ts';
import { findUnneeded } from '../../src/runner/unneeded.ts';
import { Fixture, makePlan, removeFixtures, stagesModule } from './fixture.ts';

setDefaultTimeout(300_000);
afterAll(removeFixtures);

test('a part waits for whoever computes the whole, and is gathered only by who has the lease of that', async () => {
  const fixture = new Fixture();
  const { store } = fixture;
  const plan = makePlan([0], 40);
  const [dataset, zoo] = plan.stages as [StageNode, StageNode];
  const notes: string[] = [];
  const runner = new StageRunner(
    {
      ...{ store, workers: 2, device: 'cpu', gpus: [], cores: 2, stagesModule, dataDir: fixture.data },
      ...{ failFast: false, signal: new AbortController().signal },
      reporter: { report: (event) => event.event === 'note' && notes.push(event.text) },
    },
    (key) => plan.stages.find((node) => node.key === key) as StageNode,
  );

  expect(await runner.compute(dataset, [], 0)).toEqual({ state: 'done' });
  mkdirSync(dirname(store.lease(zoo)), { recursive: true });
  const whole = Lease.take(store.lease(zoo)) as Lease;
  const part = runner.computePart(zoo, 1);
  await Bun.sleep(100);
  expect(begunParts(store, zoo)).toEqual([]);
  expect(notes).toEqual([expect.stringContaining('waiting, another process is computing it')]);
  whole.release();
  expect(await part).toEqual({ state: 'done' });
  expect(fixture.steps.filter((line) => line.startsWith('zoo'))).toEqual(['zoo  part-1-0']);

  const lost = Lease.take(store.lease(zoo)) as Lease;
  const { dir } = await store.begin(zoo);
  lost.release();
  expect(await gatherParts(store, zoo, dir, lost)).toBe(false);
  expect(begunParts(store, zoo)).toHaveLength(1);

  const { outcomes } = await fixture.execute(plan);
  expect(outcomes.get(zoo.key)).toEqual({ state: 'done' });
  expect(fixture.steps.filter((line) => line.startsWith('zoo')).sort()).toEqual([
    'zoo  0',
    'zoo  part-0-0',
    'zoo  part-1-0',
  ]);
  expect(begunParts(store, zoo)).toEqual([]);

  // What is left beside finished work goes with gc.
  const own = { ...plan, id: 'test', origin: null };
  expect(findUnneeded(store, [own])).toEqual([]);
  const { dir: again } = await store.begin(zoo).catch(() => ({ dir: '' }));
  expect(existsSync(again)).toBe(true);
  expect(findUnneeded(store, [own])).toMatchObject([{ key: zoo.key, what: 'set aside' }]);
});
