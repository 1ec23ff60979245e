/** What runs differ in, so that a figure does not average over it. */
import type { Run } from '../../experiment/types.ts';
import { text } from '../groups.ts';

const seeds = new Set(['seed', 'zoo.seed']);

/** Names a run by those settings among its axes that vary among the runs, without seeds and what is `said` already: `, zoo.batch_size=4`. */
export function variant(run: Run, runs: readonly Run[], said: readonly string[] = []): string {
  const names = Object.keys(run.axes).filter((name) => {
    if (!name.includes('.') || seeds.has(name) || said.includes(name)) return false;
    return new Set(runs.map(({ axes }) => text(axes[name] ?? null))).size > 1;
  });
  return names.map((name) => `, ${name}=${text(run.axes[name] ?? null)}`).join('');
}
