import type { Command } from '../command.ts';

export const claims: Command = {
  name: 'claims',
  summary: "list what written tables say of the paper's claims and numbers",
  description:
    "Lists the paper's claims, and its numbers where ours were computed under its conditions, with the verdict of each of the files table-NN.json that experiments wrote: claims hold, fail or are inconclusive, numbers are equivalent, different or inconclusive. Writes it as Markdown.",
  arguments: [{ name: 'table', many: true, values: 'file' }],
  options: {
    out: { value: 'folder', help: 'where claims.md is written', required: true, values: 'folder' },
  },
  examples: [
    { line: 'exp claims results/mnist*/table-??.json --out results', does: 'of several experiments' },
  ],
  load: async () => (await import('./run.ts')).claimsCommand,
};
