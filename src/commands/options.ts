/** Options that several commands share. Those of one command only are described in its folder. */
import { layouts } from '../experiment/tables-schema.ts';
import { figureFormats } from '../report/figures/formats.ts';
import { deviceNames } from '../tensor/devices/registry.ts';
import type { Option } from './command.ts';

export const json: Option = { help: 'print JSON instead of text' };

export const set: Option = {
  value: 'a.b=1',
  help: 'give a setting another value in every run, e.g. --set sane.epochs=10',
  repeatable: true,
};

export const only: Option = {
  value: 'axis=v1,v2',
  help: 'only the runs with these values, e.g. --only dataset=mnist,seed=0,1',
  repeatable: true,
};

export const store: Option = {
  value: 'folder',
  help: 'where artefacts are kept (default: .exp beside the file)',
  values: 'folder',
};

/** Of a command that is given no experiment file. */
export const foundStore: Option = {
  ...store,
  help: 'where artefacts are kept (default: .exp here or in experiments)',
};

export const device: Option = {
  value: 'name',
  help: 'auto, gpu, or a device listed by `exp doctor`',
  values: () => deviceNames,
};

export const data: Option = {
  value: 'folder',
  help: 'where to look for image datasets first (default: $EXP_DATA)',
  values: 'folder',
};

/** Which runs of an experiment, and where their artefacts are. */
export const selection = { set, only, store };

/** Where tables are written, and how they are shown. */
export const tables = {
  out: {
    value: 'folder',
    help: 'where tables are written (default: results/<experiment name>)',
    values: 'folder',
  },
  layout: {
    value: 'name',
    help: "side-by-side (default): ours and the paper's number; ours: ours alone; difference: ours less the paper's",
    values: () => layouts,
  },
  all: { help: "show also the rows and columns of the paper's tables without a run, in grey" },
} as const satisfies Record<string, Option>;

/** A pretrained SANE, and how it reads the models given. */
export const pretrained = {
  sane: {
    value: 'path',
    help: "the pretrained SANE: a state.pt of the authors' code, the file of an experiment that pretrained one, or the folder of an artefact of stage sane",
    required: true,
    values: 'file',
  },
  normalization: {
    value: 'file',
    help: "the authors' dataset_normalization_train.json (default: the artefact's own, of its training models; else weights are used as they are)",
    values: 'file',
  },
  heads: {
    value: 'n',
    help: 'attention heads of the SANE (default: from params.json beside or above it)',
  },
  'batch-norm': {
    help: 'also tokenise batch-norm parameters and statistics (a state.pt does not record this; an artefact does)',
  },
  unaligned: {
    help: 'take the hidden units of the models in their own order, where the SANE was pretrained on aligned models',
  },
  window: {
    value: 'n',
    help: 'tokens per forward pass, a quarter on each side of them as halo (default: the training window of an artefact; up to 4096 for a state.pt)',
  },
} as const satisfies Record<string, Option>;

/** Which of several state dicts of a checkpoint. */
export const key: Option = {
  value: 'name',
  help: 'the state dict in each checkpoint, where it has several, e.g. ema or model.generator',
};

/** The file format of new models. */
export const format: Option = {
  value: 'name',
  help: 'safetensors (default), or pt for torch.load',
  values: () => ['safetensors', 'pt'],
};

/** The file format of figures. */
export const figureFormat: Option = {
  value: 'name',
  help: 'of the figures: svg (default) or png',
  values: () => figureFormats,
};
