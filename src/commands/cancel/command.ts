import type { Command } from '../command.ts';
import { foundStore, json } from '../options.ts';

export const cancel: Command = {
  name: 'cancel',
  summary: 'cancel the jobs of an experiment in the queue of a cluster',
  description:
    'Cancels the jobs that exp run --launcher slurm submitted for an experiment, but those that compute what jobs of other experiments in the queue need. Finished work is kept, and begun work is resumed when it is run again.',
  arguments: [{ name: 'experiment', values: 'file' }],
  options: {
    shared: { help: 'cancel also what other experiments in the queue need' },
    store: foundStore,
    json,
  },
  examples: [{ line: 'exp cancel my.yaml', does: 'by its file, or by its name or id in exp ls' }],
  load: async () => (await import('./run.ts')).cancelCommand,
};
