import type { Command } from '../command.ts';
import { json, store } from '../options.ts';

export const doctor: Command = {
  name: 'doctor',
  summary: 'show which devices start here, and check stored artefacts',
  description:
    'Lists the devices that can start on this machine and, for the others, what is missing and how to install it. With an experiment file or --store it also reads every stored artefact and compares checksums.',
  arguments: [{ name: 'file', optional: true, values: 'file' }],
  options: { store, json },
  examples: [
    { line: 'exp doctor', does: 'devices only' },
    { line: 'exp doctor my.yaml', does: 'and the artefacts in .exp beside my.yaml' },
  ],
  exitCodes: { 1: 'no device starts, or an artefact is damaged' },
  load: async () => (await import('./run.ts')).doctorCommand,
};
