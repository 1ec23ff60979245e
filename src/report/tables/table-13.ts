/** Table 13: small CNNs transferred to another task. */
import type { ClaimDefinition, TableDefinition } from '../definition.ts';
import { familyOf } from './family.ts';
import { accuracies, type Method, margins, methodTitles } from './generation.ts';
import { changesTask } from './transfer.ts';

const methods: readonly Method[] = ['scratch', 'finetuned', 'hyper-representation', 'kde30', 'sub'];

const order = (above: Method, below: Method): ClaimDefinition => ({
  of: 'rows',
  text: `${methodTitles[above]} is above ${methodTitles[below]}`,
  ...{ above, below },
});

export const table13: TableDefinition = {
  id: 13,
  ...accuracies,
  margin: margins.cnn,
  best: { among: 'rows', is: 'highest' },
  stub: ['Method'],
  accepts: (run) => familyOf(run) === 'cnn' && changesTask(run),
  groups: [
    {
      ...{ source: 'svhn', dataset: 'mnist', title: 'SVHN to MNIST' },
      labels: { source: 'svhn', dataset: 'mnist' },
    },
    {
      ...{ source: 'cifar-10', dataset: 'stl-10', title: 'CIFAR-10 to STL-10' },
      labels: { source: 'cifar-10', dataset: 'stl-10' },
    },
  ],
  tableSettings: ['generation.target_dataset'],
  columns: [0, 1, 25].map((epoch) => ({ key: String(epoch), title: `Ep ${epoch}`, labels: { epoch } })),
  rows: methods.map((method) => ({ key: method, titles: [methodTitles[method]], labels: { method } })),
  claims: [order('sub', 'finetuned'), order('sub', 'scratch')],
};
