import type { Campaign } from './campaign.ts';
import { descendants, ended } from './ground.ts';

export const kill: Campaign = {
  name: 'kill',
  description:
    'SIGKILL to the runner, a worker or all of them, at any time; the next run gives the same bytes',

  async trial(ground, random, control) {
    const { ms } = await ground.expected();
    const place = ground.place();
    const child = ground.start(place);
    await Bun.sleep(random.uniform() * ms);
    const workers = descendants(child.pid);
    const choice = random.integer(3);
    const one = workers[random.integer(workers.length || 1)];
    const victims = choice === 0 ? [child.pid] : choice === 1 && one ? [one] : [child.pid, ...workers];
    for (const pid of victims) killIfThere(pid);
    await ended(child);
    return ground.finish(place, { alter: control });
  },
};

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
