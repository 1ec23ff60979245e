/** The commands and options, as data: the parser and the help are made of them. */

export interface OptionDescription {
  /** What stands for its value in the help; an option without one is a switch. */
  value?: string;
  help: string;
  repeatable?: true;
}

export const options = {
  'dry-run': { help: 'show which runs and stages would be computed and why, and compute nothing' },
  set: {
    value: 'a.b=1',
    help: 'give a setting another value for every run, e.g. --set sane.epochs=10',
    repeatable: true,
  },
  only: {
    value: 'axis=v1,v2',
    help: 'only the runs with these values, e.g. --only dataset=mnist,seed=0,1',
    repeatable: true,
  },
  device: { value: 'name', help: "auto, gpu, or a device that `exp doctor` lists (default: the file's)" },
  jobs: { value: 'n', help: 'jobs at once (default: one on a GPU, else one per core)' },
  store: { value: 'folder', help: 'where artefacts are kept (default: .exp beside the file)' },
  out: { value: 'folder', help: 'where tables are written (default: results/<name of the experiment>)' },
  data: { value: 'folder', help: 'where image data sets are looked for first (default: $EXP_DATA)' },
  'fail-fast': { help: 'end everything at the first failure' },
  'retry-failed': { help: 'compute stages again that failed before' },
  json: { help: 'print one JSON event per line instead of text' },
  help: { help: 'show this' },
  version: { help: 'show the version' },
} as const satisfies Record<string, OptionDescription>;

export type OptionName = keyof typeof options;

export interface CommandDescription {
  /** Positional arguments. */
  positionals: readonly string[];
  /** How many of them may be left out. */
  optional?: number;
  help: string;
  options: readonly OptionName[];
}

const selection = ['set', 'only', 'store'] as const;

export const commands = {
  run: {
    positionals: ['file'],
    help: 'run an experiment and write its tables; what is finished already is not computed again',
    options: [...selection, 'dry-run', 'device', 'jobs', 'out', 'data', 'fail-fast', 'retry-failed', 'json'],
  },
  table: {
    positionals: ['file'],
    help: 'write the tables again from the runs that are finished',
    options: [...selection, 'out', 'json'],
  },
  why: {
    positionals: ['file', 'run'],
    help: 'show what each stage of a run differs in from the nearest finished one',
    options: [...selection, 'json'],
  },
  doctor: {
    positionals: ['file'],
    optional: 1,
    help: 'show which devices start here; with a file or --store, check every artefact too',
    options: ['store', 'json'],
  },
  help: { positionals: [], help: 'show this', options: [] },
} as const satisfies Record<string, CommandDescription>;

export type CommandName = keyof typeof commands;
