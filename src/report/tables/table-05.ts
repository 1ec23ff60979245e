/** Table 5: ResNet-18 for Tiny-ImageNet near five prompts of its zoo, by a SANE of CIFAR-100. */
import type { TableDefinition } from '../definition.ts';
import { accuracies, margins } from './generation.ts';
import { promptedBy } from './transfer.ts';

const budget = 2;

export const table05: TableDefinition = {
  id: 5,
  ...accuracies,
  margin: margins.resnet,
  best: { among: 'columns', is: 'highest' },
  stub: ['Epoch'],
  accepts: (run) => run.architecture === 'resnet18' && promptedBy(run, 'resnet18'),
  groups: [
    {
      ...{ source: 'cifar-100', dataset: 'tiny-imagenet', title: 'CIFAR-100 to Tiny-ImageNet' },
      labels: {},
    },
  ],
  relabel: (labels, _, metric) => (metric === 'accuracy' ? labels : { ...labels, ensemble: true }),
  conditions: {
    'generation.epochs': [0, 1, budget],
    'generation.prompt_count': 5,
    'generation.samples': 15,
    'generation.prompt_zoo.zoo.epochs': 25,
  },
  columns: [
    { key: 'scratch', title: 'tr. fr. scratch', labels: { method: 'scratch' } },
    { key: 'sub', title: 'SANE', labels: { method: 'sub' } },
  ],
  rows: [
    ...[0, 1, budget].map((epoch) => ({ key: String(epoch), titles: [String(epoch)], labels: { epoch } })),
    {
      ...{ key: 'ensemble', titles: [`${budget}, ensemble`], labels: { epoch: budget, ensemble: true } },
      metric: 'ensemble-accuracy',
    },
  ],
  claims: [
    {
      of: 'columns',
      text: 'SANE is above training from scratch',
      ...{ above: 'sub', below: 'scratch', in: ['1', String(budget)] },
    },
  ],
};
