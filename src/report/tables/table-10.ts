/** Table 10: property prediction on the MNIST zoo from all token embeddings, and what was published in 2021. */
import { featureColumn, propertyPredictionTable, saneAboveWeights } from './property-prediction.ts';

const paperOnly = 'published in 2021 with another setup; not measured here';

export const table10 = propertyPredictionTable(
  10,
  ['mnist'],
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
