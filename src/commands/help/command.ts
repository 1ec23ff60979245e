import type { Command } from '../command.ts';

/** The words that names of commands are made of. */
const words = async () => [
  ...new Set((await import('../registry.ts')).commands.flatMap(({ name }) => name.split(' '))),
];

export const help: Command = {
  name: 'help',
  summary: 'show the help of a command',
  description: 'Shows what a command does and its options, or without a name all commands.',
  arguments: [{ name: 'command', optional: true, many: true, values: words }],
  options: {},
  examples: [{ line: 'exp help zoo import', does: 'the same as exp zoo import --help' }],
  load: async () => (await import('./run.ts')).helpCommand,
};
