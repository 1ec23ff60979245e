/** `bun run campaign <name> --trials N [--seed S] [--control]`: harm of one kind, many times, and a line that says what became of it. */
import { Random } from '../../src/base/random.ts';
import type { Campaign } from './campaign.ts';
import { corrupt } from './corrupt.ts';
import { disk } from './disk.ts';
import { fuzz } from './fuzz.ts';
import { Ground } from './ground.ts';
import { hostile } from './hostile.ts';
import { kill } from './kill.ts';
import { machines } from './machines.ts';
import { race } from './race.ts';
import { signals } from './signals.ts';
import { slurm } from './slurm.ts';

export const campaigns: readonly Campaign[] = [
  ...[kill, signals, race, machines, slurm],
  ...[disk, corrupt, hostile, fuzz],
];

export interface Outcome {
  trials: number;
  /** What went wrong, by the number of the trial. */
  failed: Map<number, string[]>;
}

/** Runs the trials of a campaign; the ground is the caller's to remove. `onFailure` hears of each that went wrong at once. */
export async function conduct(
  campaign: Campaign,
  {
    trials,
    seed,
    control = false,
    ground,
  }: { trials: number; seed: number; control?: boolean; ground: Ground },
  onFailure: (trial: number, problems: string[]) => void = () => {},
): Promise<Outcome> {
  const failed = new Map<number, string[]>();
  // The control is compared with what the whole program makes.
  if (campaign.needsRun !== false) await ground.expected();
  if (control) campaign.sabotage?.(ground);
  for (let trial = 0; trial < trials; trial++) {
    const problems = await campaign.trial(ground, new Random(seed, campaign.name, trial), control);
    if (problems.length === 0) continue;
    failed.set(trial, problems);
    onFailure(trial, problems);
  }
  return { trials, failed };
}

const usage = `bun run campaign ${campaigns.map(({ name }) => name).join('|')} --trials N [--seed S] [--control]

${campaigns.map(({ name, description }) => `  ${name.padEnd(8)} ${description}`).join('\n')}

--control does something that each trial has to notice; it succeeds if all of them do.`;

/** Returns the exit code: 1 if a trial went wrong (or, of a control, did not), 2 if the arguments are wrong, else 0. */
async function main(args: readonly string[]): Promise<number> {
  const number = (option: string, otherwise: number) => {
    const at = args.indexOf(option);
    return at < 0 ? otherwise : Number(args[at + 1]);
  };
  const campaign = campaigns.find(({ name }) => name === args[0]);
  const [trials, seed] = [number('--trials', 10), number('--seed', 1)];
  if (!campaign || !Number.isSafeInteger(trials) || trials < 1 || !Number.isSafeInteger(seed)) {
    console.error(usage);
    return 2;
  }
  const control = args.includes('--control');
  const missing = campaign.missing?.();
  if (missing) {
    console.log(`${campaign.name}: not done, ${missing}`);
    return 0;
  }
  const begin = performance.now();
  const ground = new Ground();
  const { failed } = await conduct(campaign, { trials, seed, control, ground }, (trial, problems) => {
    if (!control) console.error(`trial ${trial}: ${problems.slice(0, 5).join('\n  ')}`);
  }).finally(() => ground.remove());
  const seconds = ((performance.now() - begin) / 1000).toFixed(0);
  const what = control ? 'controls noticed' : 'trials failed';
  console.log(`${campaign.name}: ${failed.size} of ${trials} ${what} in ${seconds} s (seed ${seed})`);
  return (control ? failed.size === trials : failed.size === 0) ? 0 : 1;
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
