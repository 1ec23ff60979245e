import type { Command } from '../command.ts';
import { foundStore, json } from '../options.ts';

export const ls: Command = {
  name: 'ls',
  summary: 'list experiments and runs: state, time, size, best result',
  description:
    "Lists the experiments that a store has runs of, or the runs of one of them: how many stages are finished, the time and disk space that they took, and the best number of the results. A run's id can be given wherever a run is named.",
  arguments: [{ name: 'experiment', optional: true, values: 'file' }],
  options: { store: foundStore, json },
  examples: [
    { line: 'exp ls', does: 'the experiments' },
    { line: 'exp ls quickstart', does: 'the runs of one; its file is a name, too' },
  ],
  load: async () => (await import('./run.ts')).lsCommand,
};
