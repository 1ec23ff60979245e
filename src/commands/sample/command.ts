import { datasets } from '../../data/registry.ts';
import type { Command } from '../command.ts';
import { data, device, format, json, key, pretrained } from '../options.ts';

export const sample: Command = {
  name: 'sample',
  summary: 'generate new models near given ones',
  description:
    'Writes new models, decoded by a pretrained SANE from a kernel density fitted on the embeddings of the prompts. Prompts are trained models of one architecture.',
  arguments: [{ name: 'prompt', optional: true, many: true, values: 'file' }],
  options: {
    ...pretrained,
    key,
    prompts: {
      value: 'path',
      help: 'a prompt: a checkpoint file, or a folder of them',
      repeatable: true,
      values: 'file',
    },
    count: { value: 'n', help: 'how many models to sample (default: 10)' },
    seed: { value: 'n', help: 'seed of the samples (default: 0)' },
    bandwidth: {
      value: 'x',
      help: 'bandwidth of the kernel density, in --bandwidth-unit (default: 0.1)',
    },
    'bandwidth-unit': {
      value: 'name',
      help: 'spread (default): standard deviations of embeddings between models; absolute: as it is',
      values: () => ['spread', 'absolute'],
    },
    draws: {
      value: 'name',
      help: 'shared (default): all tokens share one prompt and one offset; joint: one prompt; independent: each token is drawn on its own',
      values: () => ['shared', 'joint', 'independent'],
    },
    evaluate: {
      value: 'dataset',
      help: 'draw --candidates, write the best by accuracy on training images, and print their test accuracy; batch-norm statistics are refreshed. A path is a folder of images',
      values: () => Object.keys(datasets),
      orPath: true,
    },
    candidates: { value: 'n', help: 'how many models --evaluate chooses from (default: 50)' },
    activation: {
      value: 'name',
      help: "nonlinearity of the models that --evaluate runs (default: that of the SANE's zoo, or else the paper's for this architecture and dataset)",
      values: () => ['tanh', 'relu', 'gelu', 'sigmoid'],
    },
    data,
    out: { value: 'folder', help: 'where the new models are written', required: true, values: 'folder' },
    format,
    device: { ...device, help: `${device.help} (default: auto)` },
    json,
  },
  examples: [
    { line: 'exp sample --sane state.pt --prompts zoo/best --out new', does: 'ten models' },
    { line: 'exp sample zoo/best --sane state.pt --out new --evaluate mnist', does: 'the ten best of fifty' },
    { line: 'exp sample a.pt b.pt --sane state.pt --out new --count 50 --format pt', does: 'fifty' },
  ],
  load: async () => (await import('./run.ts')).sampleCommand,
};
