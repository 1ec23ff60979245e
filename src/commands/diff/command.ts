import type { Command } from '../command.ts';
import { foundStore, json } from '../options.ts';

export const diff: Command = {
  name: 'diff',
  summary: 'show in which settings and results two runs differ',
  description:
    'Shows the settings in which two runs differ, of one experiment or two, and beside each other the results that both have. Runs are named by their ids in exp ls, or by their axes in any order.',
  arguments: [{ name: 'run' }, { name: 'other run' }],
  options: { store: foundStore, json },
  examples: [
    { line: 'exp diff 3fa9c2 81b03e', does: 'two runs by their ids' },
    { line: 'exp diff seed=0,gamma=0 gamma=0.05,seed=0', does: 'by their axes' },
  ],
  load: async () => (await import('./run.ts')).diffCommand,
};
