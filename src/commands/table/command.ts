import type { Command } from '../command.ts';
import { json, selection, tables } from '../options.ts';

export const table: Command = {
  name: 'table',
  summary: 'write the tables again from finished runs',
  description:
    'Writes the tables of an experiment from the runs that are finished, and computes nothing. Runs that failed or are not computed yet are named in the cells.',
  arguments: [{ name: 'file', values: 'file' }],
  options: {
    ...selection,
    ...tables,
    json,
  },
  examples: [
    { line: 'exp table my.yaml --out paper/tables', does: 'write them to another folder' },
    {
      line: 'exp table my.yaml --layout difference --all',
      does: "ours less the paper's, in the whole table of the paper",
    },
  ],
  exitCodes: { 1: 'some runs failed, or no run is finished and no table was written' },
  load: async () => (await import('./run.ts')).tableCommand,
};
