/** The command line -> a request. Every mistake is a UsageError that says what to write instead. */
import { parseArgs } from 'node:util';
import { didYouMean } from '../experiment/suggest.ts';
import { type Argument, type Command, type Option, usage } from './command.ts';
import { help } from './help/command.ts';
import { commands, groupOf } from './registry.ts';
import { run } from './run/command.ts';
import { UsageError } from './usage.ts';

export interface Request {
  command: Command;
  positionals: string[];
  /** Options with a value, in their order. */
  values: ReadonlyMap<string, string[]>;
  switches: ReadonlySet<string>;
}

/** The value of an option that is given at most once; undefined where it is not given. */
export const optionValue = ({ values }: Request, option: string): string | undefined =>
  values.get(option)?.[0];

/** The value of an option that is required. */
export const requiredValue = (request: Request, option: string): string =>
  optionValue(request, option) as string;

/** Reads the arguments after the program's name. `--help` asks for the help of the command that is named. */
export async function parseArguments(args: readonly string[]): Promise<Request> {
  const tokens = tokenize(args);
  const words = tokens.flatMap((token) => (token.kind === 'positional' ? token.value : []));
  if (tokens.some((token) => token.kind === 'option' && token.name === 'help')) {
    return { command: help, positionals: helpTopic(words), values: new Map(), switches: new Set() };
  }
  if (words.length === 0)
    throw new UsageError('no experiment file is given', 'exp experiments/quickstart.yaml, or exp --help');
  const { command, positionals } = findCommand(words);
  const request = { command, positionals, ...readOptions(tokens, command) };
  await checkPositionals(request);
  await checkOptions(request);
  return request;
}

/** Options have the same form in every command that has them, so that they can be read before the command is known. */
function tokenize(args: readonly string[]) {
  const types = commands.flatMap(({ options }) =>
    Object.entries(options).map(([name, { value }]) => [
      name,
      { type: value ? ('string' as const) : ('boolean' as const) },
    ]),
  );
  const { tokens } = parseArgs({
    args: [...args],
    options: { ...Object.fromEntries(types), help: { type: 'boolean', short: 'h' } },
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  return tokens;
}

/** The words of the command or group whose help is wanted; none for the overview. */
function helpTopic(words: readonly string[]): string[] {
  if (words.length === 0) return [];
  const [group = '', action] = words;
  if (action === undefined && groupOf(group).length > 0) return [group];
  return findCommand(words).command.name.split(' ');
}

/** The command that the words begin with, and the words after it. A file alone is run. */
export function findCommand(words: readonly string[]): { command: Command; positionals: string[] } {
  const [first = '', second] = words;
  const command = commands.find(({ name }) => name === first || name === `${first} ${second}`);
  if (command) return { command, positionals: words.slice(command.name.split(' ').length) };
  const group = groupOf(first);
  if (group.length > 0) {
    const actions = group.map(({ name }) => name.slice(first.length + 1));
    const choice = `exp ${first} ${actions.join('|')}`;
    if (second === undefined) throw new UsageError(`${first} needs a command`, choice);
    throw new UsageError(`${first} has no command ${second}`, didYouMean(second, actions) ?? choice);
  }
  // A word that is neither a command nor like a path is more likely a misspelt command than a file.
  if (!/[./\\]/.test(first)) {
    const known = [...new Set(commands.map(({ name }) => name.split(' ')[0] as string))];
    const hint = didYouMean(first, known) ?? `the commands are ${known.join(', ')}`;
    throw new UsageError(`${first} is neither a command nor a YAML file`, hint);
  }
  return { command: run, positionals: [...words] };
}

function readOptions(
  tokens: ReturnType<typeof tokenize>,
  { name: commandName, options }: Command,
): Pick<Request, 'values' | 'switches'> {
  const values = new Map<string, string[]>();
  const switches = new Set<string>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const { name, rawName, value } = token;
    const option = Object.hasOwn(options, name) ? options[name] : undefined;
    if (!option) {
      const known = Object.keys(options).map((one) => `--${one}`);
      const hint = didYouMean(rawName, known) ?? `its options: ${known.join(', ') || 'none'}`;
      throw new UsageError(`${commandName} has no option ${rawName}`, hint);
    }
    if (!option.value) {
      if (value !== undefined) throw new UsageError(`--${name} takes no value`, `write just --${name}`);
      switches.add(name);
      continue;
    }
    if (value === undefined || value === '' || (value.startsWith('--') && !token.inlineValue)) {
      throw new UsageError(`--${name} needs a value`, `--${name} ${option.value}`);
    }
    const earlier = values.get(name) ?? [];
    if (earlier.length > 0 && !option.repeatable)
      throw new UsageError(`--${name} is given twice`, 'give it once');
    values.set(name, [...earlier, value]);
  }
  return { values, switches };
}

async function checkPositionals({ command, positionals }: Request): Promise<void> {
  const { name, arguments: args } = command;
  const last: Argument | undefined = args.at(-1);
  const extra = positionals[args.length];
  if (extra !== undefined && !last?.many)
    throw new UsageError(`${extra} is one argument too many for ${name}`, usage(command));
  const missing = args[positionals.length];
  if (missing && !missing.optional) throw new UsageError(`${name} needs <${missing.name}>`, usage(command));
  for (const [i, value] of positionals.entries()) {
    const argument = (args[i] ?? last) as Argument;
    await checkValue(argument.name, value, argument);
  }
}

async function checkOptions({ command, values }: Request): Promise<void> {
  for (const [name, option] of Object.entries<Option>(command.options)) {
    if (option.required && !values.has(name)) {
      const hint = `--${name} ${option.value}: ${option.help}`;
      throw new UsageError(`${command.name} needs --${name}`, hint);
    }
    for (const value of values.get(name) ?? []) await checkValue(name, value, option);
  }
}

async function checkValue(
  what: string,
  value: string,
  { values, orPath }: Pick<Option, 'values' | 'orPath'>,
): Promise<void> {
  if (typeof values !== 'function' || (orPath && /[/\\.~]/.test(value))) return;
  const known = await values();
  if (known.includes(value)) return;
  const hint = didYouMean(value, known) ?? `choose from ${known.join(', ')}`;
  throw new UsageError(`unknown ${what}: ${value}`, hint);
}
