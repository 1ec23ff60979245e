/** The command line -> a request. Every mistake is a UsageError that says what to write instead. */
import { parseArgs } from 'node:util';
import { didYouMean } from '../experiment/suggest.ts';
import {
  type CommandDescription,
  type CommandName,
  commands,
  type OptionDescription,
  type OptionName,
  options,
} from './options.ts';
import { UsageError } from './usage.ts';

export interface Request {
  command: CommandName | 'version';
  positionals: string[];
  /** Options with a value, in their order. */
  values: ReadonlyMap<OptionName, string[]>;
  switches: ReadonlySet<OptionName>;
}

const isCommand = (name: string): name is CommandName => Object.hasOwn(commands, name);
const isOption = (name: string): name is OptionName => Object.hasOwn(options, name);

/** Reads the arguments after the program's name. */
export function parseArguments(args: readonly string[]): Request {
  const { values, switches, positionals } = readTokens(args);
  if (switches.has('help')) return { command: 'help', positionals: [], values, switches };
  if (switches.has('version')) return { command: 'version', positionals: [], values, switches };
  const [first, ...rest] = positionals;
  if (first === undefined)
    throw new UsageError('no file is given', 'exp experiments/quickstart.yaml, or exp --help');
  const command = isCommand(first) ? first : 'run';
  // A word that is neither a command nor like a path is more likely a misspelt command than a file.
  if (!isCommand(first) && !/[./\\]/.test(first)) {
    const hint =
      didYouMean(first, Object.keys(commands)) ?? `the commands are ${Object.keys(commands).join(', ')}`;
    throw new UsageError(`${first} is neither a command nor a YAML file`, hint);
  }
  const request = { command, positionals: isCommand(first) ? rest : positionals, values, switches };
  check(request);
  return request;
}

function readTokens(args: readonly string[]) {
  const types = Object.entries<OptionDescription>(options).map(([name, { value }]) => [
    name,
    { type: value ? ('string' as const) : ('boolean' as const), multiple: true },
  ]);
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(types),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const values = new Map<OptionName, string[]>();
  const switches = new Set<OptionName>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, rawName, value } = token;
    if (!isOption(name)) {
      const hint =
        didYouMean(
          rawName,
          Object.keys(options).map((known) => `--${known}`),
        ) ?? 'exp --help lists them';
      throw new UsageError(`there is no option ${rawName}`, hint);
    }
    const { value: wanted, repeatable }: OptionDescription = options[name];
    if (!wanted) {
      if (value !== undefined) throw new UsageError(`--${name} takes no value`, `write just --${name}`);
      switches.add(name);
      continue;
    }
    if (value === undefined || value === '' || (value.startsWith('--') && !token.inlineValue)) {
      throw new UsageError(`--${name} needs a value`, `--${name} ${wanted}`);
    }
    const earlier = values.get(name) ?? [];
    if (earlier.length > 0 && !repeatable) throw new UsageError(`--${name} is given twice`, 'give it once');
    values.set(name, [...earlier, value]);
  }
  return { values, switches, positionals };
}

/** Whether the command takes these positional arguments and options. */
function check({ command, positionals, values, switches }: Request & { command: CommandName }): void {
  const { positionals: places, optional = 0, many, options: allowed }: CommandDescription = commands[command];
  if (positionals.length > places.length && !many) {
    throw new UsageError(
      `${positionals[places.length]} is one argument too many for ${command}`,
      usage(command),
    );
  }
  if (positionals.length < places.length - optional) {
    throw new UsageError(`${command} needs a ${places[positionals.length]}`, usage(command));
  }
  for (const name of [...values.keys(), ...switches]) {
    if (!allowed.includes(name)) {
      const takes = allowed.map((known) => `--${known}`).join(', ') || 'none';
      throw new UsageError(`${command} has no option --${name}`, `its options: ${takes}`);
    }
  }
}

/** How a command is called: `exp why <file> <run>`. */
export function usage(command: CommandName): string {
  const { positionals, optional = 0, many }: CommandDescription = commands[command];
  const required = positionals.length - optional;
  const places = positionals.map((place, i) => (i < required ? ` <${place}>` : ` [${place}]`));
  return `exp ${command}${places.join('')}${many ? '...' : ''}`;
}
