/** The help as text of at most 79 columns: of all commands, of a group, of one command. */
import { type Command, type Option, usage } from '../command.ts';
import { commands } from '../registry.ts';

const width = 79;

/** What `exp --help` prints. */
export function overview(): string {
  return `Runs experiments with SANE (weight-space learning) that are written in YAML.

  exp experiments/quickstart.yaml            run it: offline, a few minutes
  exp experiments/quickstart.yaml --dry-run  show what that would compute
  exp doctor                                 show which devices start here

Commands
${listCommands(commands)}

exp <command> --help shows the options of a command; exp <file> is short for
exp run <file>. Results go to standard output, progress to standard error.
Exit codes: 0 success, 1 some work failed, 2 the file or the arguments are
wrong and nothing was run, 130 interrupted.
`;
}

/** What `exp zoo --help` prints. */
export function groupHelp(name: string, group: readonly Command[]): string {
  return `Usage: exp ${name} <command>

Commands
${listCommands(group)}

exp ${name} <command> --help shows the options of a command.
`;
}

/** What `exp sample --help` prints. */
export function commandHelp(command: Command): string {
  const { description, options, examples, exitCodes } = command;
  const sections = [
    `Usage: ${usage(command)}${Object.keys(options).length > 0 ? ' [options]' : ''}`,
    wrap(description, 0),
    section('Options', Object.entries(options).map(optionRow)),
    `Examples\n${examples.map(({ line, does }) => `  # ${does}\n  ${line}`).join('\n')}`,
    section('Exit codes', Object.entries(exitCodes ?? {})),
  ];
  return `${sections.filter(Boolean).join('\n\n')}\n`;
}

function listCommands(list: readonly Command[]): string {
  return rows(list.map(({ name, summary }) => [name, summary]));
}

function optionRow([name, { value, help, required, repeatable }]: [string, Option]): [string, string] {
  const remarks = [...(required ? ['required'] : []), ...(repeatable ? ['repeatable'] : [])];
  return [
    `--${name}${value ? ` ${value}` : ''}`,
    `${help}${remarks.length > 0 ? ` (${remarks.join(', ')})` : ''}`,
  ];
}

const section = (title: string, list: [string, string][]) =>
  list.length > 0 ? `${title}\n${rows(list)}` : '';

/** Two columns; what is long on the left has its right side on the next line. */
function rows(list: readonly (readonly [string, string])[]): string {
  const indent = Math.min(24, Math.max(...list.map(([left]) => left.length)) + 4);
  return list
    .map(([left, right]) => {
      const text = wrap(right, indent);
      return left.length + 4 > indent ? `  ${left}\n${text}` : `  ${left}`.padEnd(indent) + text.trimStart();
    })
    .join('\n');
}

/** The text in lines that begin with so many spaces. */
function wrap(text: string, indent: number): string {
  const lines = Bun.wrapAnsi(text, width - indent).split('\n');
  return lines.map((line) => ' '.repeat(indent) + line.trim()).join('\n');
}
