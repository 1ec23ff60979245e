import type { Command } from '../command.ts';
import { json, selection } from '../options.ts';

export const why: Command = {
  name: 'why',
  summary: 'show why a run would be computed again',
  description:
    'Shows for each stage of a run whether it is finished and, if not, which settings and inputs differ from the most similar finished stage. Runs are named as --dry-run lists them.',
  arguments: [{ name: 'file', values: 'file' }, { name: 'run' }],
  options: { ...selection, json },
  examples: [
    { line: 'exp why my.yaml seed=1', does: 'the run with seed 1' },
    { line: 'exp why my.yaml seed=1 --set sane.epochs=7', does: 'what this setting would change' },
  ],
  load: async () => (await import('./run.ts')).whyCommand,
};
