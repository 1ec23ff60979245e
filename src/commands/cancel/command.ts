import type { Command } from '../command.ts';
import { foundStore, json } from '../options.ts';

export const cancel: Command = {
  name: 'cancel',
  summary: 'cancel the jobs of an experiment in the queue of a cluster',
  description:
    'Cancels the jobs that exp run --launcher slurm submitted for an experiment. Finished work is kept, and begun work is resumed when it is run again. Another experiment that waits for these jobs has them submitted again by its own command.',
  arguments: [{ name: 'experiment', values: 'file' }],
  options: { store: foundStore, json },
  examples: [{ line: 'exp cancel my.yaml', does: 'by its file, or by its name or id in exp ls' }],
  load: async () => (await import('./run.ts')).cancelCommand,
};
