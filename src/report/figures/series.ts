/** What several figures take of runs and numbers. */
import type { Run } from '../../experiment/types.ts';
import { text } from '../groups.ts';
import { varyingAxes } from '../sweeps.ts';
import type { Measured } from '../table.ts';

/** Names a run by its settings that vary among the runs, without seeds and what is `said` already, so that no figure averages over them: `, zoo.batch_size=4`. */
export const variant = (run: Run, runs: readonly Run[], said: readonly string[] = []): string =>
  varyingAxes(runs)
    .filter((name) => name in run.axes && !said.includes(name))
    .map((name) => `, ${name}=${text(run.axes[name] ?? null)}`)
    .join('');

/** A mean with the ends of its ±. */
export const bandOf = ({ mean, sd }: Pick<Measured, 'mean' | 'sd'>) => ({
  mean,
  low: mean - (sd ?? 0),
  high: mean + (sd ?? 0),
});
