/** The shape that the paper's tables of property prediction share: targets down, data sets and features across. */
import type {
  ClaimDefinition,
  ColumnDefinition,
  ContrastDefinition,
  GroupDefinition,
  TableDefinition,
} from '../definition.ts';
import { ofPrediction, ofPredictionWithNorms } from './departures.ts';
import { familyOf } from './family.ts';

/** Titles of the zoos by the architectures that they are of. */
const zoos = {
  cnn: { mnist: 'MNIST', svhn: 'SVHN', 'cifar-10': 'CIFAR-10 (CNN)', 'stl-10': 'STL-10' },
  resnet: { 'cifar-10': 'CIFAR-10', 'cifar-100': 'CIFAR-100', 'tiny-imagenet': 'Tiny-ImageNet' },
};

export const featureTitles = {
  weights: 'W',
  statistics: 's(W)',
  sane: 'SANE',
  'sane-sequence': 'SANE full',
  untrained: 'SANE untrained',
};

export const targetTitles = { 'test-accuracy': 'Acc', epoch: 'Ep', ggap: 'Ggap' };

export const saneAboveWeights: ClaimDefinition = {
  of: 'columns',
  text: 'SANE predicts better than the weights (W)',
  above: 'sane',
  below: 'weights',
};

/** The paper claims no order of these two. */
const saneLessStatistics: ContrastDefinition = {
  ...{ of: 'columns', text: 'SANE less s(W)', above: 'sane', below: 'statistics' },
};

/** The column of a feature that the task measures. */
export function featureColumn(
  feature: keyof typeof featureTitles,
  title: string = featureTitles[feature],
): ColumnDefinition {
  return { key: feature, title, labels: { feature } };
}

/** What the encoder's structure shows by itself, which appears where it was measured. */
const untrained: ColumnDefinition = { ...featureColumn('untrained'), beyondPaper: true };

/** A table of R² on the test models of zoos of small CNNs, or of ResNet-18 (Section 5.1 and Appendix D). */
export function propertyPredictionTable<Kind extends keyof typeof zoos>(
  id: number,
  kind: Kind,
  datasets: (keyof (typeof zoos)[Kind] & string)[],
  columns: ColumnDefinition[],
  claims: ClaimDefinition[],
): TableDefinition {
  const titles: Record<string, string> = zoos[kind];
  return {
    id,
    accepts: (run) => run.task === 'property-prediction' && familyOf(run) === kind,
    metric: 'r2',
    labels: { split: 'test' },
    factor: 1,
    departures: kind === 'resnet' ? ofPredictionWithNorms : ofPrediction,
    decimals: 3,
    margin: {
      size: 0.02,
      reason:
        '21 of the 27 differences between features in Table 1 are larger, and 8 of the 9 between SANE and s(W) in Table 2, where the paper has them on a par, smaller',
    },
    // R² of the mean as the prediction, and of no error.
    bounds: { chance: () => 0, ceiling: 1 },
    best: { among: 'columns', is: 'highest' },
    stub: ['Target'],
    groups: datasets.map((dataset): GroupDefinition => ({ dataset, title: titles[dataset] as string })),
    columns: columns.flatMap((column) => (column.key === 'sane' ? [column, untrained] : [column])),
    rows: Object.entries(targetTitles).map(([target, title]) => ({
      ...{ key: target, titles: [title], labels: { target } },
    })),
    claims,
    contrasts: [saneLessStatistics],
  };
}
