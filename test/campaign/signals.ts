import type { Campaign } from './campaign.ts';
import { ended, hasCrashed } from './ground.ts';

const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export const signals: Campaign = {
  name: 'signals',
  description: 'one or two of SIGINT, SIGTERM, SIGHUP; exit code 130, and the next run gives the same bytes',

  async trial(ground, random, control) {
    const { ms } = await ground.expected();
    const place = ground.place();
    const child = ground.start(place);
    const name = names[random.integer(3)] as (typeof names)[number];
    const ending = ended(child);
    await Bun.sleep(random.uniform() * ms);
    child.kill(name);
    if (random.integer(2)) {
      await Bun.sleep(random.uniform() * 300);
      child.kill(names[random.integer(3)]);
    }
    const { code, signal, err } = await ending;
    const problems: string[] = [];
    const said = err.includes('Interrupted with');
    // Before and after its jobs the program has nothing to save, and exits as the signal says.
    const fine = said ? code === 130 : code === 130 || code === 0 || names.some((one) => one === signal);
    if (!fine) problems.push(`${name}: it ended with ${code ?? signal}: ${err.slice(-300)}`);
    if (hasCrashed(err)) problems.push(`${name}: it crashed: ${err.slice(-300)}`);
    return [...problems, ...(await ground.finish(place, { alter: control }))];
  },
};
