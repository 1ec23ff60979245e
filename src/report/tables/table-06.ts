/** Table 6: what alignment and the choice of views do for pretraining (Appendix A). */
import type { ClaimDefinition, RowDefinition, TableDefinition } from '../definition.ts';
import { ofReconstruction } from './departures.ts';

const row = (
  key: string,
  aligned: boolean,
  [one, two]: ['Perm.' | 'Align', 'Perm.' | 'Align'],
): RowDefinition => ({
  key,
  titles: [aligned ? 'Yes' : 'No', one, two],
  labels: {
    aligned,
    view_1: one === 'Align' ? 'canonical' : 'permuted',
    view_2: two === 'Align' ? 'canonical' : 'permuted',
  },
});

const order = (text: string, above: string, below: string): ClaimDefinition => ({
  ...{ of: 'rows', in: ['train'], text, above, below },
});

export const table06: TableDefinition = {
  id: 6,
  accepts: ({ task }) => task === 'reconstruction',
  metric: 'reconstruction-loss',
  labels: {},
  relabel: ({ split, view }, { settings: { sane } }) => {
    // The paper's test losses are the same for every aligned row: its test models are in one order.
    if (view === 'permuted') return null;
    return { split: split as string, aligned: sane.alignment, view_1: sane.view_1, view_2: sane.view_2 };
  },
  tableSettings: ['sane.alignment', 'sane.view_1', 'sane.view_2'],
  departures: ofReconstruction,
  factor: 1,
  decimals: 3,
  margin: { size: 0.02, reason: 'less than any two of its training losses differ by' },
  best: { among: 'rows', is: 'lowest' },
  stub: ['Aligned', 'View 1', 'View 2'],
  groups: [{ dataset: null, title: 'a zoo that is not named', labels: {} }],
  columns: [
    { key: 'train', title: 'Train', labels: { split: 'train' } },
    { key: 'test', title: 'Test', labels: { split: 'test' } },
  ],
  rows: [
    row('unaligned', false, ['Perm.', 'Perm.']),
    row('permuted', true, ['Perm.', 'Perm.']),
    row('anchored', true, ['Align', 'Perm.']),
    row('aligned', true, ['Align', 'Align']),
  ],
  claims: [
    {
      ...{ of: 'rows', text: 'alignment lowers the loss to less than half' },
      ...{ above: 'unaligned', below: 'permuted', times: 2 },
    },
    order('an aligned first view lowers the training loss', 'permuted', 'anchored'),
    order('two aligned views lower it further', 'anchored', 'aligned'),
  ],
};
