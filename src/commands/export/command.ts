import type { Command } from '../command.ts';
import { selection } from '../options.ts';

export const exportRuns: Command = {
  name: 'export',
  summary: 'write all results as one table for pandas, R or a spreadsheet',
  description:
    'Writes the results of the finished runs as a tidy table: a row for each number, with the axes of its run and its labels as columns. Computes nothing.',
  arguments: [{ name: 'file', values: 'file' }],
  options: {
    runs: {
      value: 'runs.csv',
      help: 'the file to write, ending in .csv or .parquet',
      required: true,
      values: 'file',
    },
    ...selection,
  },
  examples: [
    { line: 'exp export my.yaml --runs runs.csv', does: 'as CSV' },
    { line: 'exp export my.yaml --runs runs.parquet', does: 'as Parquet, which keeps types' },
  ],
  exitCodes: { 1: 'no run is finished and nothing was written' },
  load: async () => (await import('./run.ts')).exportCommand,
};
