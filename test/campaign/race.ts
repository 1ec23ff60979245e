import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Campaign } from './campaign.ts';
import { ended } from './ground.ts';

export const race: Campaign = {
  name: 'race',
  description: 'two to four runners on one store at once; each ends well, and nothing is computed twice',

  async trial(ground, random, control) {
    await ground.expected();
    const place = ground.place();
    const runners = [];
    for (let i = 2 + random.integer(3); i > 0; i--) {
      runners.push(ended(ground.start(place)));
      await Bun.sleep(random.uniform() * 400);
    }
    const problems: string[] = [];
    for (const { code, signal, err } of await Promise.all(runners))
      if (code !== 0) problems.push(`a runner ended with ${code ?? signal}: ${err.slice(-300)}`);
    const logs = join(place.store, 'logs');
    for (const name of readdirSync(logs, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.log')) continue;
      const jobs = readFileSync(join(logs, name), 'utf8').match(/^--- /gm)?.length ?? 0;
      if (jobs !== 1) problems.push(`${name}: ${jobs} jobs`);
    }
    return [...problems, ...(await ground.finish(place, { alter: control }))];
  },
};
