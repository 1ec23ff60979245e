/** The scheduler with real worker processes and the stages of stages.ts. */
import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Lease } from '../../src/base/lease.ts';
import type { Plan } from '../../src/experiment/types.ts';
import type { RunnerEvent } from '../../src/runner/events.ts';
import { Fixture, makePlan, removeFixtures, until } from './fixture.ts';

// Processes take long to start on a busy machine.
setDefaultTimeout(300_000);
afterAll(removeFixtures);

const resultKeys = (plan: Plan) => plan.runs.map(({ resultKey }) => resultKey);
const started = (events: RunnerEvent[]) =>
  events.flatMap((event) => (event.event === 'job-start' ? [event.label] : []));

describe('execute', () => {
  test('computes every stage once, parts side by side and then together, and nothing the second time', async () => {
    const fixture = new Fixture();
    const plan = makePlan([0, 1], 75);
    const first = await fixture.execute(plan);
    expect([...first.outcomes.values()].map(({ state }) => state)).toEqual(plan.stages.map(() => 'done'));
    expect(fixture.steps.filter((line) => line.startsWith('zoo')).sort()).toEqual([
      'zoo  0',
      'zoo  part-0-0',
      'zoo  part-1-0',
      'zoo  part-2-0',
    ]);
    expect(fixture.steps).toHaveLength(1 + 4 + 2 + 2);
    const second = await fixture.execute(plan);
    expect(second.events).toEqual([]);
    expect(fixture.steps).toHaveLength(9);
    // No lease and no unfinished folder stays behind.
    expect([
      ...new Bun.Glob('**/*.{lease,partial}').scanSync({ cwd: fixture.store.root, onlyFiles: false }),
    ]).toEqual([]);
  });

  test('finishes one run before it begins the next where it can', async () => {
    const { events } = await new Fixture().execute(makePlan([0, 1]), { workers: 1 });
    expect(started(events).slice(2)).toEqual([
      'sane cnn-small/glyphs seed 0',
      'property-prediction cnn-small/glyphs seed 0',
      'sane cnn-small/glyphs seed 1',
      'property-prediction cnn-small/glyphs seed 1',
    ]);
  });

  test('a failure takes only what needs it, with the reason and a log, until it is to be retried', async () => {
    const fixture = new Fixture({
      sane: { fail: { step: 0, message: 'loss is NaN', seed: 1 }, print: 'hello' },
    });
    const plan = makePlan([0, 1, 2]);
    const { outcomes, events } = await fixture.execute(plan);
    const [done, failed, alsoDone] = resultKeys(plan).map((key) => outcomes.get(key));
    expect([done, alsoDone]).toEqual([{ state: 'done' }, { state: 'done' }]);
    expect(failed).toMatchObject({ state: 'failed', failure: { reason: 'loss is NaN' } });
    expect(events).toContainEqual(expect.objectContaining({ event: 'job-failed', reason: 'loss is NaN' }));
    const log = failed?.state === 'failed' ? readFileSync(failed.failure.log, 'utf8') : '';
    expect(log).toContain('hello');
    expect(log).toContain('Error: loss is NaN\n    at ');

    fixture.behave({});
    const again = await fixture.execute(plan);
    expect(again.events).toEqual([]);
    expect(again.outcomes.get(resultKeys(plan)[1] as string)).toEqual(failed as NonNullable<typeof failed>);
    const retried = await fixture.execute(plan, { retryFailed: true });
    expect(retried.outcomes.get(resultKeys(plan)[1] as string)).toEqual({ state: 'done' });
  });

  test('a failure of a stage that brings data from outside is tried again by itself', async () => {
    const fixture = new Fixture({ dataset: { fail: { step: 0, message: 'offline' } } });
    const plan = makePlan([0]);
    const { outcomes } = await fixture.execute(plan);
    expect(outcomes.get(resultKeys(plan)[0] as string)).toMatchObject({ failure: { reason: 'offline' } });
    fixture.behave({});
    const again = await fixture.execute(plan);
    expect(again.outcomes.get(resultKeys(plan)[0] as string)).toEqual({ state: 'done' });
  });

  test('trouble of the machine is tried again by itself', async () => {
    const fixture = new Fixture({ sane: { write: '/no/such/folder/file' } });
    const plan = makePlan([0]);
    const { outcomes } = await fixture.execute(plan);
    expect(outcomes.get(resultKeys(plan)[0] as string)).toMatchObject({
      failure: { reason: expect.stringContaining('ENOENT') },
    });
    fixture.behave({});
    const again = await fixture.execute(plan);
    expect(again.outcomes.get(resultKeys(plan)[0] as string)).toEqual({ state: 'done' });
  });

  test('a worker that is killed is a failure, and the next run resumes its work', async () => {
    const fixture = new Fixture({ sane: { steps: 3, kill: { step: 2, signal: 'SIGKILL' } } });
    const plan = makePlan([0]);
    const { outcomes } = await fixture.execute(plan);
    expect(outcomes.get(resultKeys(plan)[0] as string)).toMatchObject({
      failure: { reason: 'the worker was killed (SIGKILL), perhaps because memory ran out' },
    });
    fixture.behave({ sane: { steps: 3 } });
    const again = await fixture.execute(plan);
    expect(again.outcomes.get(resultKeys(plan)[0] as string)).toEqual({ state: 'done' });
    expect(fixture.steps.filter((line) => line.startsWith('sane'))).toEqual([
      'sane 0 0',
      'sane 0 1',
      'sane 0 2',
    ]);
  });

  test('a worker that exits without a word is a failure with the last line it printed', async () => {
    const fixture = new Fixture({ zoo: { exit: 7, print: 'driver: out of handles' } });
    const plan = makePlan([0]);
    const { outcomes } = await fixture.execute(plan);
    expect(outcomes.get(resultKeys(plan)[0] as string)).toMatchObject({
      failure: { reason: 'the worker exited with code 7: driver: out of handles' },
    });
  });

  test('a failed part fails the stage, and the finished parts are kept', async () => {
    const fixture = new Fixture({ zoo: { kill: { step: 0, signal: 'SIGTERM' } } });
    const plan = makePlan([0], 40);
    const { outcomes, events } = await fixture.execute(plan, { workers: 1 });
    expect(outcomes.get(resultKeys(plan)[0] as string)).toMatchObject({
      failure: { reason: 'the worker was terminated by SIGTERM' },
    });
    expect(started(events)).toEqual(['dataset glyphs', 'zoo cnn-small/glyphs part 1/2']);
  });

  test('fail-fast ends what runs', async () => {
    const fixture = new Fixture({ sane: { fail: { step: 0, message: 'no', seed: 0 }, stepMs: 5000 } });
    const plan = makePlan([0, 1, 2]);
    const { outcomes } = await fixture.execute(plan, { failFast: true });
    expect(resultKeys(plan).map((key) => outcomes.get(key)?.state)).toEqual(['failed', 'stopped', 'stopped']);
  });

  test('the signal ends the workers, and their work is kept', async () => {
    const fixture = new Fixture({ sane: { steps: 100, stepMs: 50 } });
    const plan = makePlan([0]);
    const stop = new AbortController();
    const running = fixture.execute(plan, { signal: stop.signal });
    await until(() => fixture.steps.some((line) => line.startsWith('sane')), 'SANE is being trained');
    stop.abort();
    const { outcomes, events } = await running;
    expect(outcomes.get(resultKeys(plan)[0] as string)).toEqual({ state: 'stopped' });
    expect(events).toContainEqual(expect.objectContaining({ event: 'job-stopped' }));
    const sane = plan.stages.find(({ stage }) => stage === 'sane') as Plan['stages'][number];
    expect(fixture.store.isBegun(sane)).toBe(true);
    expect(existsSync(fixture.store.lease(sane))).toBe(false);
  });

  test('two schedulers on one store compute nothing twice', async () => {
    const fixture = new Fixture({ zoo: { stepMs: 300 }, sane: { stepMs: 100 } });
    const plan = makePlan([0, 1, 2]);
    const both = await Promise.all([fixture.execute(plan), fixture.execute(plan)]);
    for (const { outcomes } of both) {
      expect(resultKeys(plan).map((key) => outcomes.get(key)?.state)).toEqual(['done', 'done', 'done']);
    }
    const predictions = Array(3).fill('property-prediction  0');
    expect(fixture.steps.toSorted()).toEqual([
      'dataset  0',
      ...predictions,
      'sane 0 0',
      'sane 1 0',
      'sane 2 0',
      'zoo  0',
    ]);
    const events = both.flatMap((one) => one.events);
    expect(events).toContainEqual({
      event: 'note',
      text: expect.stringContaining('waiting, another process is computing it'),
    });
  });

  test('a stage that another process took over is left to it', async () => {
    process.env.EXP_LEASE_SECONDS = '0.6';
    const fixture = new Fixture({ sane: { steps: 20, stepMs: 50 } });
    const plan = makePlan([0]);
    const sane = plan.stages.find(({ stage }) => stage === 'sane') as Plan['stages'][number];
    const { store } = fixture;
    const running = fixture.execute(plan);
    await until(() => fixture.steps.includes('sane 0 3'), 'SANE is being trained');
    // As a process on another machine does, which has seen nothing of this one for long.
    const path = store.lease(sane);
    for (const name of readdirSync(path)) rmSync(join(path, name));
    const lease = Lease.take(path) as Lease;
    const { dir, resumed } = await store.begin(sane);
    expect(resumed).toBe(true);
    const done = () => readdirSync(dir).length;
    const [before] = [done(), await Bun.sleep(300)];
    expect(done()).toBe(before);
    lease.release();
    const { outcomes, events } = await running;
    delete process.env.EXP_LEASE_SECONDS;
    expect(events).toContainEqual({
      event: 'note',
      text: `${sane.label}: another process took it over, because this one stood still for too long`,
    });
    expect(events.filter(({ event }) => event === 'job-failed')).toEqual([]);
    expect(outcomes.get(sane.key)).toEqual({ state: 'done' });
    expect(readdirSync(store.folder(sane)).length).toBe(20 + 1);
  });

  test('a damaged artefact is computed again', async () => {
    const fixture = new Fixture();
    const plan = makePlan([0]);
    await fixture.execute(plan);
    const result = plan.stages.at(-1) as Plan['stages'][number];
    await Bun.write(`${fixture.store.folder(result)}/result.json`, '');
    const { states, outcomes } = await fixture.execute(plan);
    expect(states.get(result.key)).toMatchObject({
      why: expect.stringContaining('damaged: result.json has 0 bytes'),
    });
    expect(outcomes.get(result.key)).toEqual({ state: 'done' });
    expect(fixture.store.find(result)?.state).toBe('complete');
  });
});
