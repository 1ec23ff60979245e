/** A trial or a few of the campaigns, and that each notices what it has to. `bun run campaign` does all, and many. */
import { afterAll, expect, setDefaultTimeout, test } from 'bun:test';
import type { Campaign } from './campaign.ts';
import { Ground } from './ground.ts';
import { campaigns, conduct } from './main.ts';

// Processes take long to start on a busy machine.
setDefaultTimeout(300_000);

const ground = new Ground('[0]');
afterAll(() => ground.remove());

const few: Record<string, number> = { hostile: 2, fuzz: 50 };

// What interrupts, races, fills disks and damages artefacts has tests of its own in test/cli, test/runner and test/slurm; these campaigns are for many trials.
const ownTests = ['signals', 'race', 'machines', 'slurm', 'disk', 'corrupt'];

test.each(campaigns.filter(({ name }) => !ownTests.includes(name)))('$name', async (campaign) => {
  const { name } = campaign;
  const { failed } = await conduct(campaign, { trials: few[name] ?? 1, seed: 1, ground });
  expect([...failed]).toEqual([]);
});

// Those that compare bytes do so in one place, which the last test is about.
test.each(campaigns.filter(({ name }) => ['hostile', 'fuzz'].includes(name)))(
  'the control of $name is noticed',
  async (campaign) => {
    const { failed } = await conduct(campaign, { trials: 1, seed: 1, control: true, ground });
    expect(failed.size).toBe(1);
  },
);

// The last, since the ground keeps that program.
test('a program that does not verify is noticed', async () => {
  const corrupt = campaigns.find(({ name }) => name === 'corrupt') as Campaign;
  const { failed } = await conduct(corrupt, { trials: 1, seed: 1, control: true, ground });
  expect([...failed.values()].flat().join()).toContain('has other bytes');
});
