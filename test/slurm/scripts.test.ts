/** The scripts that are submitted, and what Slurm's words mean. */
import { afterAll, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StageNode } from '../../src/experiment/types.ts';
import { type ArrayOptions, planArrays } from '../../src/runner/launchers/slurm/arrays.ts';
import { largestOf } from '../../src/runner/launchers/slurm/queue.ts';
import { explainRefusal, explainWaiting } from '../../src/runner/launchers/slurm/reasons.ts';
import { expectNode, resourcesOf } from '../../src/runner/launchers/slurm/resources.ts';
import { inProcess, Program } from '../cli/program.ts';
import { removeFixtures } from '../runner/fixture.ts';

afterAll(removeFixtures);

const text = (launcher: string) => `name: cluster
grid: {architecture: [cnn-small], dataset: [glyphs, fashion-mnist], task: [property-prediction], seed: [0, 1]}
zoo: {models: 40}
sane: {d_model: 512}
launcher:
${launcher}`;

const full = `  partition: [gpu, preempt]
  account: lab
  memory: 16G
  cpus: 8
  gpus: 1
  at_once: 3
  setup: [module load bun, 'export OMP_NUM_THREADS=1']
  stages:
    dataset: {partition: cpu, cpus: 1, memory: 2000M}
    sane: {time: '1-12:00:00', gpus: 2}
`;

/** What `--dry-run` prints, without what differs from machine to machine. */
async function scripts(launcher: string, store = 'store'): Promise<string> {
  const program = new Program({}, text(launcher));
  const { code, out, err } = await inProcess(
    ...[program.file, '--launcher', 'slurm', '--dry-run', '--store', join(program.root, store)],
  );
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const project = new URL('../..', import.meta.url).pathname;
  return out
    .replaceAll(program.root, 'ROOT')
    .replaceAll(process.execPath, 'BUN')
    .replaceAll(project, 'PROJECT/')
    .replaceAll(/exp-cluster-[0-9a-f]{8}/g, 'exp-cluster-HASH')
    .replaceAll(/cluster-[0-9a-f]{8}/g, 'cluster-ID');
}

describe('the scripts', () => {
  test('ask for what the file says, wait for what they read, and are the same each time', async () => {
    const golden = new URL('golden/scripts.txt', import.meta.url);
    const printed = await scripts(full);
    if (process.env.RECORD_SCRIPTS) await Bun.write(golden, printed);
    expect(printed).toBe(readFileSync(golden, 'utf8'));
    // Every job has one task, whatever a site's defaults are.
    const count = (piece: string) => printed.split(piece).length - 1;
    expect(count('#SBATCH --ntasks=1\n')).toBe(count('#!/bin/bash'));
  });

  test('quote what has blanks, signs of the shell or of Slurm', async () => {
    const golden = new URL('golden/quoted.txt', import.meta.url);
    const printed = await scripts("  account: my 'lab'\n", `5 % of "it's" #1`);
    const [first] = printed.split('\n\n');
    if (process.env.RECORD_SCRIPTS) await Bun.write(golden, first as string);
    expect(first).toBe(readFileSync(golden, 'utf8'));
  });

  test.each([
    ['  cpus: 0\n', 'cpus'],
    ['  time: soon\n', 'time'],
    ['  memory: 16 GB\n', 'memory'],
    ['  stages: {zooo: {cpus: 1}}\n', 'zooo'],
    ['  partitions: a\n', 'partitions'],
  ])('%p is a mistake with its place', async (launcher, name) => {
    const program = new Program({}, text(launcher));
    const { code, err } = await inProcess(program.file, '--launcher', 'slurm', '--dry-run');
    expect(code).toBe(2);
    expect(err).toContain(name);
    expect(err).toMatch(/tiny\.yaml:6:/);
  });

  test('the block enters no key', async () => {
    const keys = async (launcher: string) => {
      const program = new Program({}, text(launcher));
      const { out } = await inProcess(program.file, '--dry-run', '--json', '--store', program.store.root);
      return out.match(/"key":"[0-9a-f]+"/g);
    };
    expect(await keys(full)).toEqual(await keys('  cpus: 1\n'));
  });

  test.each([
    [
      ['--launcher', 'slurm', '--gpus', '0'],
      '--gpus names GPUs of this machine, and Slurm chooses those of its jobs',
    ],
    [['--detach'], '--detach leaves jobs in a queue, and here is none\n  add --launcher slurm'],
    [['--launcher', 'slum'], 'did you mean slurm?'],
  ])('%p is refused', async (options, message) => {
    const program = new Program();
    const { code, err } = await inProcess(program.file, ...program.places, ...options);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  test('a store where Slurm would write no logs is refused', async () => {
    const program = new Program();
    const store = join(program.root, 'a\\b');
    const { code, err } = await inProcess(
      ...[program.file, '--launcher', 'slurm', '--dry-run', '--store', store],
    );
    expect({ code, err }).toEqual({
      code: 2,
      err: `exp: Slurm cannot write logs to ${JSON.stringify(store)}: the path has a backslash or a line break\n  name another folder with --store\n`,
    });
  });
});

/** A stage whose seconds are in its name: `sane-60`. */
function node(key: string, inputs: string[] = [], parts = 1): StageNode {
  const [stage = ''] = key.split('-');
  const named = Object.fromEntries(inputs.map((input) => [input, input]));
  return { stage, key, version: 1, config: {}, inputs: named, parts, label: key };
}

function plan(nodes: StageNode[], options: Partial<ArrayOptions> = {}) {
  const arrays = planArrays(nodes, {
    resourcesOf: (of) => resourcesOf({ cpus: 2, stages: { dataset: { cpus: 1 } } }, of, new Map()),
    expected: (key) => Number(key.split('-').at(-1)),
    queued: () => [],
    queuedParts: () => new Map(),
    packSeconds: 100,
    maxIndices: 1001,
    ...options,
  });
  const name = ({ key, part }: { key: string; part?: number }) =>
    part === undefined ? key : `${key}/${part}`;
  return arrays.map(({ jobs, after }) => ({
    jobs: jobs.map(({ tasks }) => tasks.map(name).join(' ')),
    after: after.map((one) => ('queued' in one ? one.queued : `${one.array}_${one.index}`)),
  }));
}

describe('arrays', () => {
  const small = [
    node('dataset-5'),
    node('zoo-40', ['dataset-5'], 2),
    node('alignment-10', ['zoo-40']),
    ...['sane-a-30', 'sane-b-30', 'sane-c-30'].map((key) => node(key, ['zoo-40', 'alignment-10'])),
    ...['a', 'b', 'c'].map((one) => node(`generation-${one}-20`, ['zoo-40', `sane-${one}-30`])),
  ];

  test('parts are indices, and small stages share the job that they wait for, or one another’s', () => {
    expect(plan(small)).toEqual([
      { jobs: ['dataset-5'], after: [] },
      { jobs: ['zoo-40/0', 'zoo-40/1'], after: ['0_0'] },
      { jobs: ['zoo-40 alignment-10 sane-a-30 sane-b-30 generation-a-20'], after: ['1_0', '1_1'] },
      { jobs: ['sane-c-30 generation-b-20 generation-c-20'], after: ['2_0'] },
    ]);
  });

  test('no stage waits for one that is after it, and each is computed once', () => {
    const arrays = plan(small);
    const tasks = arrays.flatMap(({ jobs }) => jobs.flatMap((job) => job.split(' ')));
    expect(tasks.filter((task) => !task.includes('/')).sort()).toEqual(small.map(({ key }) => key).sort());
    for (const [number, { after }] of arrays.entries())
      for (const one of after) expect(Number(one.split('_')[0])).toBeLessThan(number);
  });

  test('without sharing, stages that wait for the same are one array, of no more indices than Slurm takes', () => {
    const arrays = plan(small, { packSeconds: 0 });
    expect(arrays[4]).toEqual({ jobs: ['sane-a-30', 'sane-b-30', 'sane-c-30'], after: ['3_0'] });
    expect(arrays.slice(5)).toEqual(
      ['a', 'b', 'c'].map((one, index) => ({ jobs: [`generation-${one}-20`], after: [`4_${index}`] })),
    );
    const cut = plan(small, { packSeconds: 0, maxIndices: 2 });
    expect(cut.slice(4, 6).map(({ jobs }) => jobs)).toEqual([['sane-a-30', 'sane-b-30'], ['sane-c-30']]);
  });

  test('what is in the queue already is waited for', () => {
    const queued = (key: string) => (key === 'zoo-40' ? ['12_0', '12_1', '13_0'] : []);
    expect(plan([node('sane-a-30', ['zoo-40'])], { queued })).toEqual([
      { jobs: ['sane-a-30'], after: ['12_0', '12_1', '13_0'] },
    ]);
  });

  test('of a stage whose parts are in the queue already, the rest is planned', () => {
    const zoo = node('zoo-40', ['dataset-5'], 3);
    const some = new Map([[1, '12_0']]);
    const queuedParts = (key: string) => (key === 'zoo-40' ? some : new Map<number, string>());
    expect(plan([zoo, node('sane-200', ['zoo-40'])], { queuedParts })).toEqual([
      { jobs: ['zoo-40/0', 'zoo-40/2'], after: [] },
      { jobs: ['zoo-40'], after: ['0_0', '12_0', '0_1'] },
      { jobs: ['sane-200'], after: ['1_0'] },
    ]);
  });

  test('a stage of unknown length has a job of its own', () => {
    const expected = (key: string) => (key === 'alignment-10' ? undefined : 1);
    const jobs = plan(small, { expected }).flatMap((array) => array.jobs);
    expect(jobs).toContain('alignment-10');
  });
});

describe('cores of a job', () => {
  const largest = largestOf('small*|1\nsmall*|2\nlarge|64\nother|8\nother|4\nempty|0\n\nnonsense\n');
  const cpusOf = (settings: Parameters<typeof resourcesOf>[0]) => {
    const resources = resourcesOf(settings, { stage: 'zoo' }, largest);
    expectNode(resources, 'zoo', largest);
    return resources.cpus;
  };

  test('are a few, or as many as each of its partitions has', () => {
    expect(cpusOf({})).toBe(2);
    expect(cpusOf({ partition: 'large' })).toBe(4);
    expect(cpusOf({ partition: ['small', 'large'] })).toBe(2);
    expect(cpusOf({ partition: 'small,large', cpus: 3 })).toBe(3);
    // Of these nothing is known.
    for (const partition of ['unknown', 'empty']) {
      expect(cpusOf({ partition })).toBe(4);
      expect(cpusOf({ partition, cpus: 99 })).toBe(99);
    }
    process.env.SBATCH_PARTITION = 'large';
    try {
      expect(cpusOf({ partition: 'small', cpus: 64 })).toBe(64);
    } finally {
      delete process.env.SBATCH_PARTITION;
    }
  });

  test('that no node has are refused', () => {
    expect(() => cpusOf({ cpus: 3 })).toThrow(
      'launcher.cpus is 3 for the stage zoo, and the largest node of the default partition has 2',
    );
    expect(() => cpusOf({ partition: ['small', 'other'], stages: { zoo: { cpus: 9 } } })).toThrow(
      'launcher.cpus is 9 for the stage zoo, and the largest node of small and other has 8',
    );
  });
});

describe('what Slurm says', () => {
  test.each([
    [
      'sbatch: error: invalid partition specified: nope\nsbatch: error: Batch job submission failed: Invalid partition name specified',
      'invalid partition specified: nope; Invalid partition name specified',
      'launcher.partition names it; sinfo lists the partitions',
    ],
    [
      'sbatch: error: Memory specification can not be satisfied\nsbatch: error: Batch job submission failed: Requested node configuration is not available',
      'Memory specification can not be satisfied; Requested node configuration is not available',
      'launcher.memory is more than any node has',
    ],
    [
      'sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified',
      'Invalid account or account/partition combination specified',
      'launcher.account names it',
    ],
    [
      'sbatch: error: Batch job submission failed: Invalid generic resource (gres) specification',
      'Invalid generic resource (gres) specification',
      'launcher.gpus asks for GPUs that no node has',
    ],
    [
      'sbatch: error: QOSMaxWallDurationPerJobLimit\nsbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user’s size and/or time limits)',
      'QOSMaxWallDurationPerJobLimit; Job violates accounting/QOS policy (job submit limit, user’s size and/or time limits)',
      'your account or quality of service allows less: lower launcher.time, memory, cpus or gpus',
    ],
    ['sbatch: error: something else', 'something else', undefined],
  ])('%p is explained', (printed, message, hint) => {
    expect(explainRefusal(printed)).toEqual({ message, hint, temporary: false });
  });

  test.each([
    'sbatch: error: QOSMaxSubmitJobPerUserLimit\nsbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user’s size and/or time limits)',
    'sbatch: error: AssocMaxSubmitJobLimit\nsbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user’s size and/or time limits)',
    'sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user’s size and/or time limits)',
    'sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying',
    'sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)',
  ])('%p is tried again', (printed) => {
    expect(explainRefusal(printed).temporary).toBe(true);
  });

  test.each([
    [
      'PartitionTimeLimit',
      'cannot start (PartitionTimeLimit): the partition’s time limit is shorter: lower launcher.time',
    ],
    ['JobHeldUser', 'cannot start (JobHeldUser): it is held: scontrol release 7_1'],
    [
      'launch failed requeued held',
      'cannot start: a node failed to launch it and it is held; sinfo shows the nodes, then scontrol release 7_1',
    ],
    [
      'ReqNodeNotAvail, UnavailableNodes:n1',
      'cannot start (ReqNodeNotAvail, UnavailableNodes:n1): the nodes are down or reserved: sinfo shows them',
    ],
    ['JobArrayTaskLimit', 'waits for others of its array, as launcher.at_once says (JobArrayTaskLimit)'],
    ['QOSMaxJobsPerUserLimit', 'waits, a limit of your account is reached (QOSMaxJobsPerUserLimit)'],
    ['Resources', 'waits for free nodes (Resources)'],
    ['Dependency', undefined],
    ['None', undefined],
  ])('a job that waits for %s', (reason, expected) => {
    expect(explainWaiting('7_1', reason)?.text).toBe(expected as string);
  });
});
