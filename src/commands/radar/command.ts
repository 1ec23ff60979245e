import type { Command } from '../command.ts';
import { figureFormat } from '../options.ts';

export const radar: Command = {
  name: 'radar',
  summary: "draw the paper's figure 1 from written tables",
  description:
    "Draws Tables 1 to 4 as one radar (the paper's figure 1), of the files table-01.json to table-04.json that experiments wrote; of several with one number the first. An experiment whose own tables fill three axes or more has it in its report too.",
  arguments: [{ name: 'table', many: true, values: 'file' }],
  options: {
    out: { value: 'folder', help: 'where radar.svg is written', required: true, values: 'folder' },
    format: figureFormat,
  },
  examples: [
    {
      line: 'exp radar results/cnn*/table-0?.json --out figures',
      does: 'of several experiments',
    },
  ],
  load: async () => (await import('./run.ts')).radarCommand,
};
