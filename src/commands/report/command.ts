import type { Command } from '../command.ts';
import { figureFormat, selection, tables } from '../options.ts';

export const report: Command = {
  name: 'report',
  summary: 'write the report page again from finished runs',
  description:
    'Writes report.html from the runs that are finished, and computes nothing: tables, claims, sweeps as heat maps, learning curves and predictions in one file that needs no other, to be sent and printed. The figures are written to figures/ beside it too. Every exp run writes them.',
  arguments: [{ name: 'file', values: 'file' }],
  options: { ...selection, ...tables, format: figureFormat },
  examples: [
    { line: 'exp report my.yaml --out paper', does: 'write paper/report.html' },
    { line: 'exp report my.yaml --format png', does: 'figures as pictures of points' },
  ],
  exitCodes: { 1: 'no run is finished and no report was written' },
  load: async () => (await import('./run.ts')).reportCommand,
};
