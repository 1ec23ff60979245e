/** What the completion scripts are made of: the registry as plain lists, with every list of values read. */
import type { Command, Values } from '../command.ts';

/** What may follow: files, folders, one of these words, or anything (nothing is offered). */
export type Offer = 'file' | 'folder' | readonly string[] | 'anything';

export interface CompletedOption {
  flag: string;
  help: string;
  /** Undefined: it takes no value. */
  value: Offer | undefined;
  repeatable: boolean;
}

export interface CompletedCommand {
  name: string;
  summary: string;
  options: CompletedOption[];
  /** What any of its arguments may be. */
  argument: Offer;
}

export interface Completed {
  commands: CompletedCommand[];
  /** First words, with the summary of the command; that of a group is a list of its commands. */
  firstWords: { name: string; summary: string }[];
  /** The second words of groups. */
  groups: { name: string; words: { name: string; summary: string }[] }[];
}

/** The command that a file alone is short for. */
export const shorthand = 'run';

export async function describeCompletion(commands: readonly Command[]): Promise<Completed> {
  const completed = await Promise.all(commands.map(describeCommand));
  const named = completed.map((command) => ({ ...command, words: command.name.split(' ') }));
  const grouped = Map.groupBy(
    named.filter(({ words }) => words.length === 2),
    ({ words }) => words[0] as string,
  );
  const groups = [...grouped].map(([name, members]) => ({
    name,
    words: members.map(({ words, summary }) => ({ name: words[1] as string, summary })),
  }));
  return {
    commands: completed,
    firstWords: [
      ...named.filter(({ words }) => words.length === 1),
      ...groups.map(({ name, words }) => ({ name, summary: words.map((word) => word.name).join(', ') })),
    ],
    groups,
  };
}

async function describeCommand(command: Command): Promise<CompletedCommand> {
  const options = Object.entries(command.options).map(async ([name, option]) => ({
    flag: `--${name}`,
    help: option.help,
    value: option.value ? await offer(option.values) : undefined,
    repeatable: option.repeatable ?? false,
  }));
  const offers = await Promise.all(command.arguments.map(({ values }) => offer(values)));
  return {
    name: command.name,
    summary: command.summary,
    options: [
      ...(await Promise.all(options)),
      { flag: '--help', help: 'show the help of this command', value: undefined, repeatable: false },
    ],
    argument: offers.find((one) => one !== 'anything') ?? 'anything',
  };
}

async function offer(values: Values | undefined): Promise<Offer> {
  return typeof values === 'function' ? values() : (values ?? 'anything');
}
