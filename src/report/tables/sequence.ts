/** The shape of Tables 10 to 12: one zoo, SANE's embeddings aggregated and in full, and what was published in 2021. */
import type { TableDefinition } from '../definition.ts';
import { featureColumn, propertyPredictionTable, saneAboveWeights } from './property-prediction.ts';

/** `paperOnly` says why no run fills the columns of 2021. */
export function sequenceTable(
  id: number,
  dataset: 'mnist' | 'svhn' | 'cifar-10',
  paperOnly: string,
): TableDefinition {
  return propertyPredictionTable(
    id,
    'cnn',
    [dataset],
    [
      featureColumn('weights'),
      featureColumn('statistics'),
      featureColumn('sane', 'SANE agg.'),
      featureColumn('sane-sequence'),
      { key: 'statistics-2021', title: 's(W)_pp', labels: { feature: 'statistics-2021' }, paperOnly },
      { key: 'encoder-2021', title: 'E_c+D', labels: { feature: 'encoder-2021' }, paperOnly },
    ],
    [
      saneAboveWeights,
      {
        of: 'columns',
        text: 'all token embeddings (SANE full) predict better than their mean (SANE agg.)',
        above: 'sane-sequence',
        below: 'sane',
      },
    ],
  );
}
