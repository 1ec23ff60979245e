import type { Command } from '../command.ts';
import { templates } from './templates.ts';

export const init: Command = {
  name: 'init',
  summary: 'write a commented experiment file to start from',
  description: `Writes an experiment file to change; an existing file stays as it is. The templates: ${Object.entries(
    templates,
  )
    .map(([name, description]) => `${name} (${description})`)
    .join('; ')}.`,
  arguments: [
    { name: 'template', values: () => Object.keys(templates) },
    { name: 'file', optional: true, values: 'file' },
  ],
  options: {},
  examples: [
    { line: 'exp init sweep my.yaml', does: 'write my.yaml, then: exp my.yaml --dry-run' },
    { line: 'exp init quickstart', does: 'write quickstart.yaml' },
  ],
  load: async () => (await import('./run.ts')).initCommand,
};
