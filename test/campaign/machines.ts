import type { Random } from '../../src/base/random.ts';
import type { Campaign } from './campaign.ts';
import { descendants, ended } from './ground.ts';

/** After which a machine counts as gone: few, and more than a process has to wait on a busy machine. */
const leaseSeconds = 5;

const roundsOfTaker = 25;

const taker = new URL('taker.ts', import.meta.url).pathname;

/** A machine of its own as far as processes can see: their numbers, the host's name, the network, the time since it started. */
const machine = (number: number): string[] => [
  ...['unshare', '--pid', '--fork', '--kill-child', '--mount-proc', '--net', '--uts'],
  ...['--time', '--boottime', `${1000 * (number + 1)}`],
  ...['env', `EXP_LEASE_SECONDS=${leaseSeconds}`],
  ...['sh', '-c', `hostname node-${number}; exec "$@"`, 'sh'],
];

export const machines: Campaign = {
  name: 'machines',
  description:
    'two to four machines (namespaces) with one store, one killed or paused; the others give the same bytes; of eight takers of a lease, each on its own, never two have it',

  missing() {
    return process.platform === 'linux' && process.getuid?.() === 0
      ? undefined
      : 'only root on Linux can make namespaces';
  },

  async trial(ground, random, control) {
    const { ms } = await ground.expected();
    const place = ground.place();
    const runners = Array.from({ length: 2 + random.integer(3) }, (_, number) =>
      ground.start(place, [], machine(number)),
    );
    const ends = runners.map(ended);
    await Bun.sleep(random.uniform() * ms * 1.5);
    const survives = await harm(runners[0]?.pid as number, random);
    const problems: string[] = [];
    for (const [number, { code, signal, err }] of (await Promise.all(ends)).entries())
      if (code !== 0 && (number > 0 || survives))
        problems.push(`the runner of node ${number} ended with ${code ?? signal}: ${err.slice(-300)}`);
    // What a machine was writing when it ended, nobody but that machine may remove.
    const afterwards = await ground.finish(place, { alter: control });
    problems.push(...afterwards.filter((problem) => !problem.endsWith('.tmp stays behind')));
    return [...problems, ...(await takeMany(`${place.store}.lease`))];
  },
};

/** Ends or pauses all of a machine, or pauses its runner only. Returns whether it lives on. */
async function harm(unshare: number, random: Random): Promise<boolean> {
  const all = descendants(unshare);
  const kind = random.integer(3);
  if (kind === 0) {
    signal([unshare], 'SIGKILL');
    return false;
  }
  const paused = kind === 1 ? all : all.slice(0, 1);
  signal(paused, 'SIGSTOP');
  await Bun.sleep(leaseSeconds * 2000);
  signal(paused, 'SIGCONT');
  return true;
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids)
    try {
      process.kill(pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
}

/** Eight processes, each on a machine of its own, take a lease again and again; one that killed itself starts again. Returns what went wrong. */
async function takeMany(path: string): Promise<string[]> {
  const problems = await Promise.all(
    Array.from({ length: 8 }, async (_, number) => {
      for (let left = roundsOfTaker; left > 0; ) {
        const command = [...machine(number), process.execPath, taker, path, `${left}`];
        const child = Bun.spawn(command, { stdout: 'pipe' });
        const lines = (await child.stdout.text()).trimEnd().split('\n');
        const code = await child.exited;
        const killed = code === 137 || child.signalCode === 'SIGKILL';
        if (!killed && code !== 0) return [`a taker ended with ${code}: ${lines.at(-1)}`];
        left -= lines.filter((line) => /^\d/.test(line)).length;
      }
      return [];
    }),
  );
  return problems.flat();
}
