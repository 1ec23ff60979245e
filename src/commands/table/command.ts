import type { Command } from '../command.ts';
import { json, selection } from '../options.ts';

export const table: Command = {
  name: 'table',
  summary: 'write the tables again from finished runs',
  description:
    'Writes the tables of an experiment from the runs that are finished, and computes nothing. Runs that failed or are not computed yet are named in the cells.',
  arguments: [{ name: 'file', values: 'file' }],
  options: {
    ...selection,
    out: {
      value: 'folder',
      help: 'where tables are written (default: results/<experiment name>)',
      values: 'folder',
    },
    json,
  },
  examples: [{ line: 'exp table my.yaml --out paper/tables', does: 'write them to another folder' }],
  exitCodes: { 1: 'some runs failed, or no run is finished and no table was written' },
  load: async () => (await import('./run.ts')).tableCommand,
};
