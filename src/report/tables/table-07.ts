/** Table 7: what haloing and batch-norm conditioning do for networks sampled with SANE_KDE30. */
import type { ClaimDefinition, RowDefinition, TableDefinition } from '../definition.ts';
import { familyOf } from './family.ts';
import { accuracies, margins, transfers } from './generation.ts';

const rows: RowDefinition[] = [
  { key: 'random', titles: ['rand init'], labels: { init: 'random' } },
  ...(
    [
      ['naive', 'naive', false, false],
      ['haloed', 'Haloed', true, false],
      ['conditioned', 'BN-cond', false, true],
      ['both', 'Haloed+BN-cond', true, true],
    ] as const
  ).map(([key, title, halo, conditioning]) => ({
    ...{ key, titles: [title] },
    labels: { init: 'sampled', halo, conditioning },
  })),
];

const order = (text: string, above: string, below: string): ClaimDefinition => ({
  ...{ of: 'rows', in: ['0'], text: `epoch 0: ${text}`, above, below },
});

export const table07: TableDefinition = {
  id: 7,
  accepts: (run) =>
    run.task === 'generation' && familyOf(run) === 'resnet' && !transfers(run.settings.generation),
  ...accuracies,
  margin: margins.resnet,
  best: { among: 'rows', is: 'highest' },
  stub: ['Method'],
  relabel: ({ split, method, epoch }, { settings: { generation } }) => {
    const common = { split: split as string, epoch: epoch as number };
    if (method === 'scratch') return { ...common, init: 'random' };
    if (method !== 'kde30') return null;
    return {
      ...common,
      init: 'sampled',
      halo: generation.halo,
      conditioning: generation.conditioning_batches > 0,
    };
  },
  tableSettings: ['generation.halo', 'generation.conditioning_batches'],
  groups: [{ dataset: 'cifar-10', title: 'CIFAR-10', labels: {} }],
  columns: [0, 5].map((epoch) => ({ key: String(epoch), title: `Ep ${epoch}`, labels: { epoch } })),
  rows,
  claims: [
    order('conditioning helps', 'conditioned', 'naive'),
    order('haloing helps', 'haloed', 'naive'),
    order('haloing helps where statistics are conditioned', 'both', 'conditioned'),
    order('sampled networks are above random ones', 'both', 'random'),
  ],
};
