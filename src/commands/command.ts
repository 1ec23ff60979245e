/** What a command is: a description for the help, the parser and the completion, and a way to load what it does. */
import type { Request } from './arguments.ts';

/** What completion offers for a value, and what the parser accepts: files and folders are only offered, names are checked. */
export type Values = 'file' | 'folder' | (() => readonly string[] | Promise<readonly string[]>);

export interface Option {
  /** Placeholder of its value in the help; an option without one is a switch. */
  value?: string;
  help: string;
  required?: true;
  repeatable?: true;
  values?: Values;
  /** Whether its value may be a path too, where `values` are names. */
  orPath?: true;
}

export interface Argument {
  /** Placeholder in the usage line, and what an error calls it. */
  name: string;
  optional?: boolean;
  /** Only the last argument may be given many times. */
  many?: true;
  values?: Values;
  /** As of an option. */
  orPath?: true;
}

/** Does the command and returns the exit code. `stagesModule` is the module whose `stages` the workers load. */
export type RunCommand = (request: Request, stagesModule: string) => Promise<number>;

export interface Command {
  /** One word, or two for a command of a group, such as `zoo import`. */
  name: string;
  /** A few words for the overview. */
  summary: string;
  /** What it does, in about two sentences. */
  description: string;
  arguments: readonly Argument[];
  options: Readonly<Record<string, Option>>;
  /** Command lines, each with what it is an example of. */
  examples: readonly { line: string; does: string }[];
  /** What exit codes mean here, where they say more than 0 for success and 2 for wrong arguments. */
  exitCodes?: Readonly<Record<number, string>>;
  /** Imports what the command needs to run, which the help does not. */
  load(): Promise<RunCommand>;
}

/** How a command is called: `exp why <file> <run>`. */
export function usage({ name, arguments: args }: Pick<Command, 'name' | 'arguments'>): string {
  const shown = args.map(({ name, optional, many }) => {
    const text = optional ? `[${name}]` : `<${name}>`;
    return ` ${text}${many ? '...' : ''}`;
  });
  return `exp ${name}${shown.join('')}`;
}
