/** Table 1: property prediction on zoos of small CNNs. */
import { featureColumn, propertyPredictionTable, saneAboveWeights } from './property-prediction.ts';

export const table01 = propertyPredictionTable(
  1,
  'cnn',
  ['mnist', 'svhn', 'cifar-10'],
  [featureColumn('weights'), featureColumn('statistics'), featureColumn('sane')],
  [saneAboveWeights],
);
