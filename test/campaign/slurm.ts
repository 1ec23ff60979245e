import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../../src/base/random.ts';
import { Cluster, whyNoSlurm } from '../slurm/cluster.ts';
import type { Campaign } from './campaign.ts';
import { type Ended, ended, Ground, hangMs, hasCrashed, type Place } from './ground.ts';

/** In this time after the first job is in the queue something happens. */
const spreadMs = 15_000;

const hurryEveryMs = 1000;
const pollMs = 250;

/** Two experiments that have their zoo and one SANE in common. */
interface Pair {
  one: Ground;
  other: Ground;
}

interface Field extends Pair {
  cluster: Cluster;
  place: Place;
  random: Random;
}

const pairs = new WeakMap<Ground, Pair>();

function pairOf(ground: Ground): Pair {
  const known = pairs.get(ground);
  if (known) return known;
  const make = (name: string, seeds: string) =>
    new Ground(seeds, { models: 34, root: join(ground.root, name), launcher: '{cpus: 1, pack_minutes: 0}' });
  const pair = { one: make('one', '[0, 1]'), other: make('other', '[1, 2]') };
  pairs.set(ground, pair);
  return pair;
}

const within = ({ env }: Cluster) => [
  'env',
  ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
];

/** Starts the first experiment of the pair, or the other one, on Slurm, with the same store. */
function start({ cluster, place, one }: Field, options: readonly string[] = [], ground = one) {
  const out = ground === one ? place.out : `${place.out}-other`;
  const child = ground.start({ ...place, out }, ['--launcher', 'slurm', ...options], within(cluster));
  return { child, ending: ended(child) };
}

type Started = ReturnType<typeof start>;

const isOver = ({ child }: Started) => child.exitCode !== null || child.signalCode !== null;

const complain = (what: string, { code, signal, err }: Ended): string[] => {
  const crash = hasCrashed(err) ? 'it crashed and ' : '';
  return [`${what}: ${crash}ended with ${code ?? signal}: ${err.slice(-600)}`];
};

/** What is wrong where a run was to end with this code, and to say this. */
function check(what: string, end: Ended, code: number, says: RegExp = /^/): string[] {
  return end.code === code && says.test(end.err) && !hasCrashed(end.err) ? [] : complain(what, end);
}

/** Waits for a job in one of these states and returns its id; undefined where the run ends before. */
async function someJob({ cluster, random }: Field, started: Started, states: string) {
  for (;;) {
    const jobs = cluster.jobs(states);
    if (jobs.length > 0) return jobs[random.integer(jobs.length)];
    if (isOver(started)) return undefined;
    await Bun.sleep(pollMs);
  }
}

/** Until something happens. */
async function pause(field: Field, started: Started): Promise<void> {
  await someJob(field, started, 'PD,R');
  await Promise.race([Bun.sleep(field.random.uniform() * spreadMs), started.child.exited]);
}

/** Something that happens to a run, which ends well all the same. */
async function survived(field: Field, what: string, harm: (started: Started) => Promise<void>) {
  const started = start(field);
  await pause(field, started);
  await harm(started);
  return check(what, await started.ending, 0);
}

/** Ends a daemon, and starts it again a little later. */
const dies = (daemon: 'slurmctld' | 'slurmd') => (field: Field) =>
  survived(field, `${daemon} killed`, async () => {
    const { cluster, random } = field;
    await cluster.kill(daemon, random.integer(2) ? 'SIGKILL' : 'SIGTERM');
    await Bun.sleep(random.uniform() * 3000);
    if (daemon === 'slurmd') cluster.startNode();
    else cluster.startController();
  });

/** Commands of Slurm's to one of the run's jobs. */
const happens =
  (what: string, states: string, ...command: string[]) =>
  (field: Field) =>
    survived(field, what, async (started) => {
      const job = await someJob(field, started, states);
      if (job !== undefined) field.cluster.run(...command, job);
    });

/** Whatever is in the queue is cancelled until the program gives up; the same command then computes it. */
async function lost(field: Field): Promise<string[]> {
  const started = start(field);
  for (; !isOver(started); await Bun.sleep(pollMs)) field.cluster.run('scancel', '--user=0');
  const gone = check('all jobs lost', await started.ending, 1, /its job ended without a result: .*, 3 times/);
  return [...gone, ...check('after the loss', await start(field).ending, 0)];
}

/** It may have finished just before, and then exits as if nothing had happened. */
function interrupted(what: string, end: Ended, says: RegExp): string[] {
  const wasDone = end.code === 0 || (end.signal === 'SIGINT' && / in total\n/.test(end.err));
  return wasDone ? [] : check(what, end, 130, says);
}

/** Leaves the jobs where they are; the same command returns to them. */
async function interruptedOnce(field: Field): Promise<string[]> {
  const started = start(field);
  await pause(field, started);
  started.child.kill('SIGINT');
  const problems = interrupted('Ctrl-C', await started.ending, /jobs? left in the queue\b/);
  return [...problems, ...check('after Ctrl-C', await start(field).ending, 0)];
}

async function interruptedTwice(field: Field): Promise<string[]> {
  const started = start(field);
  await pause(field, started);
  started.child.kill('SIGINT');
  await Bun.sleep(200 + field.random.uniform() * 2000);
  started.child.kill('SIGINT');
  const problems = interrupted('Ctrl-C twice', await started.ending, /Interrupted with/);
  const waiting = field.cluster.jobs('PD');
  if (waiting.length > 0) problems.push(`Ctrl-C twice: ${waiting.length} jobs are still in the queue`);
  return [...problems, ...check('after Ctrl-C twice', await start(field).ending, 0)];
}

/** Two experiments at once; nothing that both need is computed twice, as the bytes of the store would show. */
async function shared(field: Field): Promise<string[]> {
  const first = start(field);
  await Bun.sleep(field.random.uniform() * spreadMs);
  const second = start(field, [], field.other);
  return [
    ...check('the first of two', await first.ending, 0),
    ...check('the second of two', await second.ending, 0),
  ];
}

/** The first of two experiments that nobody watches is cancelled; the other one is computed all the same. */
async function cancelled(field: Field): Promise<string[]> {
  const { cluster, one, other, place } = field;
  const problems = [
    ...check('detached', await start(field, ['--detach']).ending, 0),
    ...check('detached, too', await start(field, ['--detach'], other).ending, 0),
  ];
  await Bun.sleep((field.random.uniform() * spreadMs) / 3);
  const cancelling = ended(one.exp(['cancel', one.file, '--store', place.store], within(cluster)));
  problems.push(...check('exp cancel', await cancelling, 0));
  for (const deadline = Date.now() + hangMs; cluster.run('squeue', '-h') !== ''; await Bun.sleep(pollMs))
    if (Date.now() > deadline) throw new Error('jobs stay in the queue');
  const { digests } = await other.expected();
  const missing = [...digests.keys()].filter(
    (name) => name.startsWith('store/') && !existsSync(join(place.store, '..', name)),
  );
  if (missing.length > 0) problems.push(`the other one’s jobs did not make ${missing.slice(0, 3)}`);
  return [...problems, ...check('the other one', await start(field, [], other).ending, 0)];
}

const faults = [
  { what: 'controller', does: dies('slurmctld') },
  { what: 'node', does: dies('slurmd') },
  { what: 'requeued', does: happens('requeued', 'R', 'scontrol', 'requeue') },
  { what: 'scancel', does: happens('cancelled by somebody', 'PD,R', 'scancel') },
  { what: 'lost', does: lost },
  { what: 'Ctrl-C', does: interruptedOnce },
  { what: 'Ctrl-C twice', does: interruptedTwice },
  { what: 'shared', does: shared, both: true },
  { what: 'cancelled', does: cancelled, both: true },
];

export const slurm: Campaign = {
  name: 'slurm',
  description:
    'on a real Slurm the controller, the node or jobs are lost, or the program is interrupted, or two experiments share a zoo; the same bytes as locally',
  needsRun: false,
  missing: whyNoSlurm,

  async trial(ground, random, control) {
    const { one, other } = pairOf(ground);
    const place = one.place();
    await one.expected();
    const fault = faults[random.integer(faults.length)] as (typeof faults)[number];
    const cluster = await Cluster.start();
    const hurrying = setInterval(() => cluster.hurry(), hurryEveryMs);
    try {
      const problems = await fault.does({ cluster, one, other, place, random });
      // Where both ran, the store has what is only the other one's.
      const both = fault.both ? [...(await other.expected()).digests] : [];
      const beside = new Map(both.filter(([name]) => name.startsWith('store/')));
      problems.push(...(await one.finish(place, { alter: control, beside })));
      return problems.map((problem) => `${fault.what}: ${problem}`);
    } finally {
      clearInterval(hurrying);
      await cluster.stop();
    }
  },
};
