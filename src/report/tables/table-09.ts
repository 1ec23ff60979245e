/** Table 9: Table 1 and the STL-10 zoo. */
import { featureColumn, propertyPredictionTable, saneAboveWeights } from './property-prediction.ts';

export const table09 = propertyPredictionTable(
  9,
  'cnn',
  ['mnist', 'svhn', 'cifar-10', 'stl-10'],
  [featureColumn('weights'), featureColumn('statistics'), featureColumn('sane')],
  [saneAboveWeights],
);
