/** The shape that the paper's tables of property prediction share: targets down, data sets and features across. */
import type { ColumnDefinition, GroupDefinition, OrderDefinition, TableDefinition } from '../definition.ts';

const datasetTitles = { mnist: 'MNIST', svhn: 'SVHN', 'cifar-10': 'CIFAR-10 (CNN)', 'stl-10': 'STL-10' };

const features = {
  weights: 'W',
  statistics: 's(W)',
  sane: 'SANE',
  'sane-sequence': 'SANE full',
};

export const saneAboveWeights: OrderDefinition = {
  of: 'columns',
  text: 'SANE predicts better than the weights (W)',
  above: 'sane',
  below: 'weights',
};

/** The column of a feature that the task measures. */
export function featureColumn(
  feature: keyof typeof features,
  title: string = features[feature],
): ColumnDefinition {
  return { key: feature, title, labels: { feature } };
}

/** A table of R² on the test models of zoos of small CNNs (Section 5.1 and Appendix D). */
export function propertyPredictionTable(
  id: number,
  datasets: (keyof typeof datasetTitles)[],
  columns: ColumnDefinition[],
  orders: OrderDefinition[],
): TableDefinition {
  const groups = datasets.map((dataset): GroupDefinition => ({ dataset, title: datasetTitles[dataset] }));
  return {
    id,
    accepts: ({ task, architecture }) => task === 'property-prediction' && architecture.startsWith('cnn-'),
    metric: 'r2',
    labels: { split: 'test' },
    factor: 1,
    spread: "the run's seed and the zoo's seed",
    decimals: 3,
    tolerance: 0.02,
    groups,
    columns,
    rows: [
      { key: 'test-accuracy', title: 'Acc', labels: { target: 'test-accuracy' } },
      { key: 'epoch', title: 'Ep', labels: { target: 'epoch' } },
      { key: 'ggap', title: 'Ggap', labels: { target: 'ggap' } },
    ],
    orders,
  };
}
