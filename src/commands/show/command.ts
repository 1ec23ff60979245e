import type { Command } from '../command.ts';
import { foundStore, json } from '../options.ts';

export const show: Command = {
  name: 'show',
  summary: 'show a run: its settings, stages and results',
  description:
    "Shows a run that was planned or finished: where its settings are not the paper's, its stages with their time and size, and its results. A run is named by its id in exp ls, or by its axes in any order.",
  arguments: [{ name: 'run' }],
  options: { store: foundStore, json },
  examples: [
    { line: 'exp show 3fa9c2', does: 'the run with this id' },
    { line: 'exp show sweep/gamma=0.05,seed=0', does: 'the run of the experiment sweep with these values' },
  ],
  load: async () => (await import('./run.ts')).showCommand,
};
