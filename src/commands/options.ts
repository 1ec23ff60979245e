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
  jobs: {
    value: 'n',
    help: 'jobs at once (default: one on each GPU, else one per core); more share the GPUs, and one that needs none comes to them',
  },
  gpus: { value: '0,2', help: 'the GPUs to use, by the numbers that `exp doctor` shows (default: all)' },
  store: { value: 'folder', help: 'where artefacts are kept (default: .exp beside the file)' },
  out: {
    value: 'path',
    help: 'where results are written (tables by default in results/<name of the experiment>)',
  },
  layout: {
    value: 'name',
    help: "ours and the paper's numbers: side-by-side (default), ours alone, or their difference",
  },
  all: { help: "show the rows and columns of the paper's tables that have no run too, in grey" },
  data: { value: 'folder', help: 'where image data sets are looked for first (default: $EXP_DATA)' },
  sane: {
    value: 'path',
    help: "the pretrained SANE: a state.pt of the authors' code, or the folder of an artefact of stage sane",
  },
  normalization: {
    value: 'file',
    help: "the authors' dataset_normalization_train.json (default: the artefact's own; else weights are used as they are)",
  },
  heads: {
    value: 'n',
    help: 'attention heads of the SANE (default: from the params.json beside or above it)',
  },
  'batch-norm': {
    help: "batch norm's parameters and running values become tokens too (a state.pt does not say; an artefact does)",
  },
  window: {
    value: 'n',
    help: 'tokens that SANE sees at once, a quarter on each side as context (default: as the SANE was made to be used)',
  },
  prompts: {
    value: 'path',
    help: 'networks that samples are drawn near: a checkpoint file, or a folder of them; more may follow',
    repeatable: true,
  },
  count: { value: 'n', help: 'how many samples (default: 10)' },
  seed: { value: 'n', help: 'seed of the samples (default: 0)' },
  bandwidth: {
    value: 'x',
    help: "standard deviation of the kernels around the prompts' embeddings (default: 0.2; small SANEs need less)",
  },
  draws: {
    value: 'name',
    help: 'independent (default): every token is drawn by itself; shared: one prompt and one offset for all of them',
  },
  format: { value: 'name', help: 'safetensors (default) or pt, which torch.load opens' },
  dataset: {
    value: 'name',
    help: "the images that an imported zoo was trained on (default: its zoo.yaml's)",
  },
  architecture: {
    value: 'name',
    help: 'the architecture of an imported zoo (default: recognised by its tensors)',
  },
  epochs: { value: 'n,n', help: 'the epochs to take of an imported zoo (default: all)' },
  'fail-fast': { help: 'end everything at the first failure' },
  'retry-failed': { help: 'compute stages again that failed before' },
  json: { help: 'print JSON instead of text' },
  help: { help: 'show this' },
  version: { help: 'show the version' },
} as const satisfies Record<string, OptionDescription>;

export type OptionName = keyof typeof options;

export interface CommandDescription {
  /** Positional arguments. */
  positionals: readonly string[];
  /** How many of them may be left out. */
  optional?: number;
  /** The last of them may be given many times. */
  many?: true;
  help: string;
  options: readonly OptionName[];
}

const selection = ['set', 'only', 'store'] as const;
const networks = ['sane', 'normalization', 'heads', 'batch-norm', 'window', 'out', 'device'] as const;

export const commands = {
  run: {
    positionals: ['file'],
    help: 'run an experiment and write its tables; what is finished already is not computed again',
    options: [
      ...selection,
      'dry-run',
      'device',
      'gpus',
      'jobs',
      'out',
      'layout',
      'all',
      'data',
      'fail-fast',
      'retry-failed',
      'json',
    ],
  },
  table: {
    positionals: ['file'],
    help: 'write the tables again from the runs that are finished',
    options: [...selection, 'out', 'layout', 'all', 'json'],
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
  embed: {
    positionals: ['model'],
    many: true,
    help: "print each network's mean embedding by a pretrained SANE; a network is a checkpoint file of PyTorch or safetensors",
    options: [...networks, 'json'],
  },
  reconstruct: {
    positionals: ['model'],
    many: true,
    help: 'write each network as SANE encodes and decodes it',
    options: [...networks, 'format', 'json'],
  },
  sample: {
    positionals: ['prompt'],
    optional: 1,
    many: true,
    help: "write new networks, decoded from draws near the prompts' embeddings",
    options: [...networks, 'prompts', 'count', 'seed', 'bandwidth', 'draws', 'format', 'json'],
  },
  zoo: {
    positionals: ['import', 'folder'],
    help: 'convert a published zoo, or checkpoint files listed in a zoo.yaml, to a zoo of this program in --out',
    options: ['out', 'dataset', 'architecture', 'epochs', 'json'],
  },
  data: {
    positionals: ['ls|get|check', 'name'],
    optional: 1,
    many: true,
    help: 'ls: the image data sets, and where they are; get: fetch files, to --data or the cache; check: read what is here, compare checksums',
    options: ['data', 'json'],
  },
  help: { positionals: [], help: 'show this', options: [] },
} as const satisfies Record<string, CommandDescription>;

export type CommandName = keyof typeof commands;
