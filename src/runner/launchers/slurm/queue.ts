/** Slurm's commands: what is in the queue, submitting, cancelling. */
import { userInfo } from 'node:os';
import { LauncherError } from '../launcher.ts';
import { explainRefusal } from './reasons.ts';
import type { LargestNodes } from './resources.ts';

/** One index of an array in the queue. */
export interface QueuedJob {
  /** e.g. `123_4`. */
  id: string;
  name: string;
  /** e.g. `PENDING`, `RUNNING`. */
  state: string;
  /** Why it is not running, in Slurm's word, e.g. `Resources`. */
  reason: string;
  /** Whether this user submitted it. */
  isOwn: boolean;
}

/** The controller does not answer, or has no room for now: the same may succeed later. */
export class Unavailable extends LauncherError {}

const defaultIndices = 1001;

/** Runs a command of Slurm's. Throws a LauncherError where this machine has none, and returns what it printed otherwise. */
async function slurm(...command: [string, ...string[]]): Promise<{ code: number; out: string; err: string }> {
  try {
    const pipes = { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' } as const;
    // In a group of its own, so that Ctrl-C does not end it.
    const child = Bun.spawn(command, { env: process.env, detached: true, ...pipes });
    const decoder = new TextDecoder();
    let err = '';
    const reading = (async () => {
      for await (const bytes of child.stderr) {
        err += decoder.decode(bytes, { stream: true });
        // Where the queue is full, sbatch tries again for minutes without saying more. It is this program that waits.
        if (/temporarily unable/.test(err)) child.kill();
      }
    })();
    const [out] = await Promise.all([child.stdout.text(), reading]);
    return { code: await child.exited, out, err: err.trim() };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new LauncherError(
      `this machine has no ${command[0]}, a command of Slurm`,
      'run exp on a login node of the cluster',
    );
  }
}

/** The jobs of these users, by their numbers, as far as this one may see them. Throws an Unavailable where the controller does not answer. */
export async function listJobs(users: readonly number[]): Promise<QueuedJob[]> {
  const { code, out, err } = await slurm('squeue', '-h', '-r', `--user=${users}`, '-o', '%i|%T|%r|%U|%j');
  if (code !== 0) throw new Unavailable(err || `squeue ended with ${code}`);
  const { uid } = userInfo();
  return out
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [id = '', state = '', reason = '', user, ...name] = line.split('|');
      return { id, state, reason, isOwn: Number(user) === uid, name: name.join('|') };
    });
}

/** Submits a script and returns the number of the array. Throws an Unavailable, or a LauncherError that says what is to be changed. */
export async function submit(script: string, dependencies: readonly string[]): Promise<string> {
  const after = dependencies.length > 0 ? [`--dependency=afterany:${dependencies.join(':')}`] : [];
  const { code, out, err } = await slurm('sbatch', '--parsable', ...after, script);
  // `123`, or `123;cluster`.
  const id = /^\d+/.exec(out.trim())?.[0];
  if (code === 0 && id) return id;
  const explained = explainRefusal(err || out.trim() || `sbatch ended with ${code}`);
  if (explained.temporary) throw new Unavailable(explained.message);
  throw new LauncherError(`sbatch refuses ${script}: ${explained.message}`, explained.hint);
}

/** Cancels jobs; those that ended meanwhile are none of its business. */
export async function cancel(ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const { code, err } = await slurm('scancel', '--quiet', ...ids);
  if (code !== 0 && err) throw new LauncherError(`scancel: ${err}`, 'exp cancel tries again');
}

/** Puts a running job back into the queue, from within; returns what Slurm objects. */
export async function requeue(id: string): Promise<string | undefined> {
  const { code, err } = await slurm('scontrol', 'requeue', id);
  return code === 0 ? undefined : err || `scontrol ended with ${code}`;
}

/** What a command says of the cluster; nothing where there is none, as scripts can be looked at anywhere. */
async function describe(...command: [string, ...string[]]): Promise<string> {
  try {
    return (await slurm(...command)).out;
  } catch (error) {
    if (error instanceof LauncherError) return '';
    throw error;
  }
}

/** How many indices an array may have here. */
export async function maxArraySize(): Promise<number> {
  const out = await describe('scontrol', 'show', 'config');
  return Number(/MaxArraySize\s*=\s*(\d+)/.exec(out)?.[1] ?? defaultIndices);
}

/** The cores of the largest node of each partition, whether it is up or not, as far as Slurm says. */
export const largestNodes = async (): Promise<LargestNodes> =>
  largestOf(await describe('sinfo', '--noheader', '--exact', '--noconvert', '--format=%P|%c'));

/** Of lines `partition|cores`, where the default partition has a star, and one whose nodes cannot be seen 0. */
export function largestOf(printed: string): LargestNodes {
  const largest = new Map<string, number>();
  for (const [, name = '', star, cpus] of printed.matchAll(/^(.+?)(\*?)\|([1-9]\d*)$/gm))
    for (const key of star ? [name, ''] : [name])
      largest.set(key, Math.max(Number(cpus), largest.get(key) ?? 0));
  return largest;
}
