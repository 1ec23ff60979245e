import type { Command } from '../command.ts';
import { device, figureFormat, json, key, pretrained } from '../options.ts';

const { sane, ...how } = pretrained;
const { required: _, ...optional } = sane;

export const analyse: Command = {
  name: 'analyse',
  summary: 'print features of the layers of trained models',
  description:
    "Prints, for each layer of each model, WeightWatcher's features of its spectrum (log10 spectral norm, alpha, weighted alpha, stable rank) and, with --sane, those of the embeddings of its tokens (spread, norm, mean). A model is a checkpoint file of PyTorch or safetensors, of any architecture; a folder stands for those in it.",
  arguments: [{ name: 'model', many: true, values: 'file' }],
  options: {
    sane: { ...optional, help: `${optional.help} (default: no features of embeddings)` },
    ...how,
    key,
    accuracies: {
      value: 'file',
      help: 'a CSV file with a column file or model and one of test accuracies, for the figure of accuracy over features',
      values: 'file',
    },
    csv: {
      value: 'file',
      help: 'write the features to this CSV file, a line for each layer',
      values: 'file',
    },
    out: {
      value: 'folder',
      help: 'draw the figures into this folder: features by layer and, with --accuracies, accuracy over features',
      values: 'folder',
    },
    format: figureFormat,
    device: { ...device, help: `${device.help}, for --sane (default: auto)` },
    json,
  },
  examples: [
    { line: 'exp analyse resnet18.pt vgg16.pt --out figures', does: 'a table, and features by layer as SVG' },
    { line: 'exp analyse nets --sane state.pt --csv features.csv', does: 'with those of embeddings' },
    {
      line: 'exp analyse nets --accuracies results.csv --out figures --format png',
      does: 'accuracy over features',
    },
  ],
  load: async () => (await import('./run.ts')).analyseCommand,
};
