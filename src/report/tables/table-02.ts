/** Table 2: property prediction on zoos of ResNet-18, whose weights are too many to predict from. */
import { featureColumn, propertyPredictionTable } from './property-prediction.ts';

// The paper claims no order: SANE is on a par with statistics of the weights.
export const table02 = propertyPredictionTable(
  2,
  'resnet',
  ['cifar-10', 'cifar-100', 'tiny-imagenet'],
  [featureColumn('statistics'), featureColumn('sane')],
  [],
);
