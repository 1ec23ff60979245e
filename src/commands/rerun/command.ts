import { stages } from '../../stages/registry.ts';
import type { Command } from '../command.ts';
import { json, selection } from '../options.ts';

export const rerun: Command = {
  name: 'rerun',
  summary: 'set finished stages aside, so that the next run computes them again',
  description:
    'Sets the finished artefacts of some stages of an experiment aside, and all in the store that was computed from them. The next exp run computes again what it needs of them; exp gc removes what was set aside.',
  arguments: [{ name: 'file', values: 'file' }],
  options: {
    stage: {
      value: 'name',
      help: 'the stage to compute again, e.g. sane',
      required: true,
      repeatable: true,
      values: () => Object.keys(stages),
    },
    ...selection,
    json,
  },
  examples: [
    { line: 'exp rerun my.yaml --stage sane', does: 'every SANE of the experiment, and its results' },
    { line: 'exp rerun my.yaml --stage generation --only seed=0', does: 'the results of some runs' },
  ],
  load: async () => (await import('./run.ts')).rerunCommand,
};
