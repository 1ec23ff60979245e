/** GPUs that do not exist: real worker processes tell what they see of them. */
import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plan } from '../../src/experiment/types.ts';
import { chooseGpus } from '../../src/runner/choose-device.ts';
import type { RunnerEvent } from '../../src/runner/events.ts';
import { Gpus, pinProcess } from '../../src/runner/gpus.ts';
import type { Diagnosis, Gpu } from '../../src/tensor/devices/registry.ts';
import { Fixture, makePlan, removeFixtures, until } from './fixture.ts';

// Processes take long to start on a busy machine.
setDefaultTimeout(300_000);
afterAll(removeFixtures);

const gpu = (number: number): Gpu => ({
  id: `fake-${number}`,
  name: `Fake ${number}`,
  memoryBytes: 2 ** 30,
  env: { FAKE_VISIBLE: String(number) },
});

interface Told {
  value: string | null;
  begin: number;
  end: number;
}

/** What the jobs that have ended told of themselves. */
function told({ data }: Fixture): Told[] {
  const text = readFileSync(join(data, 'environment.log'), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Told);
}

/** The most jobs that a GPU had at once. */
function mostAtOnce(jobs: readonly Told[]): number {
  return Math.max(
    ...jobs.map((one) => jobs.filter(({ begin, end }) => begin <= one.begin && one.begin < end).length),
  );
}

/** Jobs by the GPU that they saw. */
const byGpu = (jobs: readonly Told[]) => Map.groupBy(jobs, ({ value }) => value);

const telling = { sane: { stepMs: 400, tell: 'FAKE_VISIBLE' } };

describe('jobs on several GPUs', () => {
  test('are one on each at a time, and each sees its own only', async () => {
    const fixture = new Fixture(telling);
    await fixture.execute(makePlan([0, 1, 2, 3]), { gpus: [gpu(0), gpu(2)], workers: 2 });
    const jobs = byGpu(told(fixture));
    expect([...jobs.keys()].sort()).toEqual(['0', '2']);
    expect([...jobs.values()].flat()).toHaveLength(4);
    for (const one of jobs.values()) expect(mostAtOnce(one)).toBe(1);
  });

  test('share them where more are asked for', async () => {
    const fixture = new Fixture({ sane: { meet: 4, tell: 'FAKE_VISIBLE' } });
    await fixture.execute(makePlan([0, 1, 2, 3]), { gpus: [gpu(0), gpu(1)], workers: 4 });
    const jobs = byGpu(told(fixture));
    expect([...jobs.values()].map(({ length }) => length)).toEqual([2, 2]);
  });

  test('of two runners do not meet', async () => {
    const [one, other] = [new Fixture(telling), new Fixture(telling)];
    const options = { gpus: [gpu(0)], gpuLeases: join(one.root, 'gpus'), workers: 1 };
    const [first, second] = await Promise.all([
      one.execute(makePlan([0, 1]), options),
      other.execute(makePlan([0, 1]), options),
    ]);
    expect(mostAtOnce([...told(one), ...told(other)])).toBe(1);
    const notes = [...first.events, ...second.events].filter(({ event }) => event === 'note');
    expect(notes).toContainEqual({
      event: 'note',
      text: expect.stringContaining('waiting for a free GPU'),
    });
  });

  test('are waited for by stages that use a device, and by no other', async () => {
    const fixture = new Fixture({ dataset: { tell: 'FAKE_VISIBLE' } });
    const gpuLeases = join(fixture.root, 'gpus');
    const held = new Gpus([gpu(0)], 1, gpuLeases).take();
    const notes: RunnerEvent[] = [];
    const reporter = {
      report: (event: RunnerEvent) => {
        if (event.event === 'note') notes.push(event);
      },
    };
    const plan = makePlan([0]);
    const running = fixture.execute(plan, { gpus: [gpu(0)], gpuLeases, workers: 1, reporter });
    const [dataset, zoo] = plan.stages;
    await until(() => notes.length > 0, 'a stage waits');
    const text = `${zoo?.label}: waiting for a free GPU`;
    expect(notes).toEqual([{ event: 'note', text }]);
    expect(fixture.store.find(dataset!)?.state).toBe('complete');
    expect(told(fixture).map(({ value }) => value)).toEqual([null]);
    held?.lease.release();
    const { outcomes } = await running;
    expect([...outcomes.values()].map(({ state }) => state)).toEqual(plan.stages.map(() => 'done'));
  });

  test('do not keep stages that use no device waiting, of which one at a time comes to them; on a CPU it takes the slot of another job', async () => {
    const plans = (['glyphs', 'mnist'] as const).map((dataset) => makePlan([0], 3, dataset));
    const [first] = plans as [Plan, Plan];
    const plan = {
      ...first,
      runs: plans.flatMap(({ runs }) => runs),
      stages: plans.flatMap(({ stages }) => stages),
    };
    const datasets = plan.stages.filter(({ stage }) => stage === 'dataset');
    const tell = { stepMs: 100, tell: 'FAKE_VISIBLE' };

    const fixture = new Fixture({ dataset: tell });
    const gpuLeases = join(fixture.root, 'gpus');
    const held = new Gpus([gpu(0)], 1, gpuLeases).take();
    const running = fixture.execute(plan, { gpus: [gpu(0)], gpuLeases, workers: 1 });
    // The first zoo waits for the GPU, and for the one place among jobs.
    await until(
      () => datasets.every((node) => fixture.store.find(node)?.state === 'complete'),
      'all data sets are there',
    );
    expect(mostAtOnce(told(fixture))).toBe(1);
    held?.lease.release();
    await running;

    const onCpu = new Fixture({ dataset: tell, zoo: tell });
    await onCpu.execute(plan, { workers: 1 });
    expect(told(onCpu)).toHaveLength(4);
    expect(mostAtOnce(told(onCpu))).toBe(1);
  });

  test('on a CPU are pinned to none', async () => {
    const fixture = new Fixture(telling);
    const plan = makePlan([0]);
    await fixture.execute(plan);
    expect(told(fixture)[0]?.value).toBeNull();
  });
});

describe('a held GPU', () => {
  test('is free again when the process that held it was killed', async () => {
    const { root } = new Fixture();
    const program = `
      import { Gpus } from '${join(import.meta.dir, '../../src/runner/gpus.ts')}';
      const gpus = new Gpus([${JSON.stringify(gpu(7))}], 1, '${root}');
      console.log(gpus.take().gpu.name);
      setTimeout(() => {}, 60000);`;
    const holder = Bun.spawn([process.execPath, '-e', program], { stdout: 'pipe' });
    const { value } = await holder.stdout.getReader().read();
    expect(new TextDecoder().decode(value).trim()).toBe('Fake 7');
    const gpus = new Gpus([gpu(7)], 1, root);
    expect(gpus.take()).toBeUndefined();
    holder.kill('SIGKILL');
    let held: ReturnType<Gpus['take']>;
    await until(() => {
      held = gpus.take();
      return held !== undefined;
    }, 'the GPU is free');
    held?.lease.release();
  });

  test('is taken by a process that is pinned to none, which C code sees too; it waits only if all are taken', async () => {
    const { root } = new Fixture();
    const both = [gpu(0), gpu(1)];
    const program = `
      import { CString, dlopen } from 'bun:ffi';
      import { pinProcess } from '${join(import.meta.dir, '../../src/runner/gpus.ts')}';
      const gpu = await pinProcess({ gpus: ${JSON.stringify(both)} }, () => console.log('waits'), '${root}');
      const c = process.platform === 'darwin' ? 'libSystem.B.dylib' : 'libc.so.6';
      const { getenv } = dlopen(c, { getenv: { args: ['cstring'], returns: 'cstring' } }).symbols;
      console.log(gpu.name, process.env.FAKE_VISIBLE, getenv(Buffer.from('FAKE_VISIBLE\\0')));
      process.exit();`;
    const start = () => {
      const child = Bun.spawn([process.execPath, '-e', program], { stdout: 'pipe' });
      return child.stdout.text();
    };
    const gpus = new Gpus(both, 2, root);
    const first = gpus.take();
    expect(await start()).toBe('Fake 1 1 1\n');
    const second = gpus.take();
    expect(second?.gpu.name).toBe('Fake 1');
    const waiting = start();
    await Bun.sleep(500);
    first?.lease.release();
    expect(await waiting).toBe('waits\nFake 0 0 0\n');
    // It is free again when the process has ended.
    const again = gpus.take();
    expect(again?.gpu.name).toBe('Fake 0');
    for (const held of [second, again]) held?.lease.release();
    expect(await pinProcess({}, () => {}, root)).toBeUndefined();
  });

  test('is on every GPU before any has a second', () => {
    const gpus = new Gpus([gpu(0), gpu(1)], 3, new Fixture().root);
    const all = Array.from({ length: 4 }, () => gpus.take());
    expect(all.map((held) => held?.gpu.name)).toEqual(['Fake 0', 'Fake 1', 'Fake 0', undefined]);
    for (const held of all) held?.lease.release();
  });
});

describe('--gpus', () => {
  const diagnosis: Diagnosis = {
    ...{ name: 'tensorflow', kind: 'gpu', description: '', starts: true, detail: '' },
    gpus: [gpu(0), gpu(1), gpu(2)],
  };

  test('takes those of these numbers, in their order, or all', () => {
    expect(chooseGpus(diagnosis, [2, 0]).map(({ name }) => name)).toEqual(['Fake 2', 'Fake 0']);
    expect(chooseGpus(diagnosis, undefined)).toHaveLength(3);
  });

  test('of a number that there is not, or on a CPU, is an error that says which there are', () => {
    expect(() => chooseGpus(diagnosis, [0, 3])).toThrow(
      'There is no GPU 3 for tensorflow. The GPUs are 0 (Fake 0), 1 (Fake 1), 2 (Fake 2).',
    );
    const cpu: Diagnosis = { name: 'native', kind: 'cpu', description: '', starts: true, detail: '' };
    expect(chooseGpus(cpu, undefined)).toEqual([]);
    expect(() => chooseGpus(cpu, [0])).toThrow(
      '--gpus is given, but native computes on the CPU. Remove it, or add --device gpu.',
    );
  });
});
