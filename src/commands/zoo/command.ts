import type { Command, Option } from '../command.ts';
import { json, key } from '../options.ts';

const dataset: Option = {
  value: 'name',
  help: "the images that the models were trained on (default: zoo.yaml's)",
  values: async () => Object.keys((await import('../../data/registry.ts')).datasets),
};

export const zooImport: Command = {
  name: 'zoo import',
  summary: 'convert checkpoint files to a zoo',
  description:
    'Converts a published zoo, a Small CNN Zoo, or checkpoint files listed in a zoo.yaml, to a zoo that experiments read. Models that diverged, or are of another architecture than most, are left out and listed in dropped.json.',
  arguments: [{ name: 'folder', values: 'folder' }],
  options: {
    out: { value: 'folder', help: 'a new folder for the zoo', required: true, values: 'folder' },
    dataset,
    architecture: {
      value: 'name',
      help: 'the architecture of the networks; `tensors` for networks without known layers (default: recognised by its tensors)',
      values: async () => {
        const { architectures, opaque } = await import('../../nets/registry.ts');
        return [...Object.keys(architectures), opaque];
      },
    },
    layers: {
      value: 'file',
      help: 'a YAML file with the layers of an architecture that is not known here',
      values: 'file',
    },
    epochs: { value: 'n,n', help: 'the epochs to import (default: all)' },
    key,
    json,
  },
  examples: [
    { line: 'exp zoo import downloads/mnist --out zoos/mnist --dataset mnist', does: 'all epochs' },
    { line: 'exp zoo import downloads/mnist --out zoos/mnist --epochs 21,25', does: 'two of them' },
  ],
  load: async () => (await import('./run.ts')).zooImport,
};

export const zooInit: Command = {
  name: 'zoo init',
  summary: 'write a zoo.yaml for a folder of checkpoints',
  description:
    'Lists the checkpoint files below a folder in a zoo.yaml, with model and epoch from their paths, and accuracies from the files or a CSV. Read it through before importing.',
  arguments: [{ name: 'folder', values: 'folder' }],
  options: {
    dataset,
    csv: {
      value: 'file',
      help: 'a table with a column file or model, and any of epoch, train_accuracy, running_train_accuracy, test_accuracy, their losses (train_loss and so on), split',
      values: 'file',
    },
    key,
    json,
  },
  examples: [
    { line: 'exp zoo init runs --dataset cifar-10 --csv results.csv', does: 'with a table of accuracies' },
  ],
  load: async () => (await import('./init.ts')).zooInit,
};

export const zooShow: Command = {
  name: 'zoo show',
  summary: 'show what a zoo holds',
  description:
    'Shows the models, epochs, splits and accuracies of a zoo, imported or not, and what was left out.',
  arguments: [{ name: 'folder', values: 'folder' }],
  options: { json },
  examples: [{ line: 'exp zoo show zoos/mnist', does: 'of an imported zoo' }],
  load: async () => (await import('./show.ts')).zooShow,
};
