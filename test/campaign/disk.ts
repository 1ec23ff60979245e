import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Campaign } from './campaign.ts';
import { hasCrashed } from './ground.ts';

const mount = (...args: string[]) => Bun.spawnSync(['mount', ...args], { stderr: 'pipe' });

export const disk: Campaign = {
  name: 'disk',
  description:
    'a file system with too few bytes or inodes; exit code 1 or 2 and no crash, and with room the same bytes',

  missing() {
    return process.platform === 'linux' && process.getuid?.() === 0
      ? undefined
      : 'only root can mount a small tmpfs';
  },

  async trial(ground, random, control) {
    await ground.expected();
    const { store, out } = ground.place();
    mkdirSync(store, { recursive: true });
    const few = random.integer(2) ? 'size=1g,nr_inodes=' : 'nr_inodes=100000,size=';
    const limit = few.startsWith('size') ? 2 + random.integer(60) : 4096 * (1 + random.integer(300));
    const { exitCode, stderr } = mount('-t', 'tmpfs', '-o', `${few}${limit}`, 'tmpfs', store);
    if (exitCode !== 0) throw new Error(`mount: ${stderr}`);
    try {
      const place = { store: join(store, 'store'), out: random.integer(2) ? join(store, 'out') : out };
      const problems: string[] = [];
      const { code, signal, err } = await ground.run(place);
      if (code === null || code > 2) problems.push(`${few}${limit}: it ended with ${code ?? signal}`);
      if (hasCrashed(err)) problems.push(`${few}${limit}: it crashed: ${err.slice(-600)}`);
      if (code !== 0 && !/ENOSPC|no space/i.test(err))
        problems.push(`the cause is not named: ${err.slice(-300)}`);
      mount('-o', 'remount,size=1g,nr_inodes=100000', store);
      return [...problems, ...(await ground.finish(place, { alter: control }))];
    } finally {
      Bun.spawnSync(['umount', store]);
    }
  },
};
