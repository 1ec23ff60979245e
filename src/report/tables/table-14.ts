/** Table 14: ResNet-18 transferred to another task. */
import type { GroupDefinition, TableDefinition } from '../definition.ts';
import { accuracies, type Method, margins, methodOrder, methodTitles } from './generation.ts';
import { changesTask, epochRows } from './transfer.ts';

const all: readonly Method[] = ['scratch', 'finetuned', 'kde30', 'sub', 'boot'];

const group = (source: string, dataset: string, title: string): GroupDefinition => ({
  ...{ source, dataset, title },
  labels: { source, dataset },
});

export const table14: TableDefinition = {
  id: 14,
  ...accuracies,
  margin: margins.resnet,
  stub: ['Epoch', 'Method'],
  accepts: (run) => run.architecture === 'resnet18' && changesTask(run),
  groups: [
    group('cifar-10', 'cifar-100', 'CIFAR-10 to CIFAR-100'),
    group('cifar-100', 'tiny-imagenet', 'CIFAR-100 to Tiny-ImageNet'),
    group('tiny-imagenet', 'cifar-100', 'Tiny-ImageNet to CIFAR-100'),
  ],
  tableSettings: ['generation.target_dataset'],
  conditions: { 'generation.epochs': [0, 1, 5, 15] },
  columns: [{ key: 'accuracy', title: 'Accuracy', labels: {} }],
  rows: epochRows(
    [
      [0, all],
      [1, all],
      [5, all],
      [15, all],
      [25, ['scratch']],
      [50, ['scratch']],
      [60, ['scratch']],
    ],
    {
      scratch: {
        ...{ setting: 'schedule of training', where: methodTitles.scratch },
        ...{ value: 'that of the fine-tuning', paper: 'that of the target zoo, 50 or 60 epochs' },
      },
    },
  ),
  claims: [
    methodOrder(1, 'finetuned', 'scratch'),
    methodOrder(1, 'sub', 'scratch'),
    methodOrder(5, 'sub', 'scratch'),
    methodOrder(15, 'sub', 'scratch'),
  ],
};
