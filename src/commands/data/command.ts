import type { Argument, Command } from '../command.ts';
import { data, json } from '../options.ts';

const names: Argument = {
  name: 'dataset',
  optional: true,
  many: true,
  values: async () => Object.keys((await import('../../data/registry.ts')).datasets),
};

export const dataLs: Command = {
  name: 'data ls',
  summary: 'list image datasets and where their files are',
  description: 'Lists the image datasets, where their files are, and what there is to download.',
  arguments: [names],
  options: { data, json },
  examples: [{ line: 'exp data ls', does: 'all of them' }],
  load: async () => (await import('./run.ts')).listDatasets,
};

export const dataGet: Command = {
  name: 'data get',
  summary: 'download image datasets',
  description:
    'Downloads the files of image datasets to --data or to the cache, and compares them with the published checksums. An interrupted download is resumed.',
  arguments: [{ ...names, optional: false }],
  options: { data, json },
  examples: [{ line: 'exp data get svhn cifar-10', does: 'two of them, to the cache' }],
  exitCodes: { 1: 'a dataset could not be downloaded' },
  load: async () => (await import('./run.ts')).getDatasets,
};

export const dataCheck: Command = {
  name: 'data check',
  summary: 'read image datasets and compare their checksums',
  description:
    'Reads the image datasets that are on this machine and compares checksums and numbers of images with what was published. Of a folder of images of your own (a path), it decodes all of them.',
  arguments: [{ ...names, orPath: true }],
  options: { data, json },
  examples: [
    { line: 'exp data check mnist --data ~/datasets', does: 'one of them' },
    { line: 'exp data check ./pets', does: 'a folder of class folders' },
  ],
  exitCodes: { 1: 'a dataset is damaged, or one that you named is missing' },
  load: async () => (await import('./run.ts')).checkDatasets,
};
