import type { Command } from '../command.ts';
import { foundStore, json } from '../options.ts';

export const gc: Command = {
  name: 'gc',
  summary: 'remove artefacts that no experiment needs any more',
  description:
    'Lists what is in a store and in no plan of an experiment as it was last run, with sizes, and removes it after asking: results of settings that were changed since, what was set aside, interrupted work, scripts and output of jobs of a cluster that ended. What a running process computes stays.',
  arguments: [],
  options: {
    store: foundStore,
    yes: { help: 'remove without asking' },
    forget: {
      value: 'experiment',
      help: 'an experiment that is not needed any more, by its name in exp ls',
      repeatable: true,
    },
    json,
  },
  examples: [
    { line: 'exp gc', does: 'list, ask, and remove' },
    { line: 'exp gc --forget old-sweep --yes', does: 'what only old-sweep needs, too' },
  ],
  load: async () => (await import('./run.ts')).gcCommand,
};
