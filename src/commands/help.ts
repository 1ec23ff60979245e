import { usage } from './arguments.ts';
import {
  type CommandDescription,
  type CommandName,
  commands,
  type OptionDescription,
  options,
} from './options.ts';

const row = (left: string, help: string) => `  ${left.padEnd(23)} ${help}`;

/** What `exp --help` prints. */
export function helpText(): string {
  const commandRows = Object.entries<CommandDescription>(commands).map(([name, { help }]) =>
    row(usage(name as CommandName), help),
  );
  const optionRows = Object.entries<OptionDescription>(options).map(([name, { value, help, repeatable }]) =>
    row(`--${name}${value ? ` ${value}` : ''}`, `${help}${repeatable ? ' (repeatable)' : ''}`),
  );
  return `Runs experiments with SANE (weight-space learning) that are written in YAML files.

  exp experiments/quickstart.yaml              run it; a few minutes, offline
  exp experiments/quickstart.yaml --dry-run    show what that would do
  exp doctor                                   show which devices start here

Commands
${row('exp <file>', 'the same as exp run <file>')}
${commandRows.join('\n')}

Options
${optionRows.join('\n')}

Exit codes: 0 all done, 1 some runs failed, 2 the file or the arguments are wrong and nothing was run, 130 interrupted.
Tables go to standard output, progress to standard error.
`;
}
