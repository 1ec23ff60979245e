import type { Command } from '../command.ts';
import { json } from '../options.ts';

export const zooImport: Command = {
  name: 'zoo import',
  summary: 'convert checkpoint files to a zoo',
  description:
    'Converts a published zoo, or checkpoint files listed in a zoo.yaml, to a zoo that experiments read. Models that diverged are left out and listed in dropped.json.',
  arguments: [{ name: 'folder', values: 'folder' }],
  options: {
    out: { value: 'folder', help: 'a new folder for the zoo', required: true, values: 'folder' },
    dataset: {
      value: 'name',
      help: "the images that the models were trained on (default: zoo.yaml's)",
      values: async () => Object.keys((await import('../../data/registry.ts')).datasets),
    },
    architecture: {
      value: 'name',
      help: 'the architecture (default: recognised by its tensors)',
      values: async () => Object.keys((await import('../../nets/registry.ts')).architectures),
    },
    epochs: { value: 'n,n', help: 'the epochs to import (default: all)' },
    json,
  },
  examples: [
    { line: 'exp zoo import downloads/mnist --out zoos/mnist --dataset mnist', does: 'all epochs' },
    { line: 'exp zoo import downloads/mnist --out zoos/mnist --epochs 21,25', does: 'two of them' },
  ],
  load: async () => (await import('./run.ts')).zooImport,
};
