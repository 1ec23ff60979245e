/** How metrics and labels are called in tables, and which way is up. */
import { layerFeatureTitles } from './figures/titles.ts';
import { methodTitles } from './tables/generation.ts';
import { featureTitles, targetTitles } from './tables/property-prediction.ts';

export interface MetricDescription {
  title: string;
  unit: string;
  /** What records are multiplied by. */
  factor: number;
  decimals: number;
  best: 'highest' | 'lowest' | null;
  /** Has no tables but those that are asked for: another metric measures the same. */
  onRequest?: true;
}

const accuracy = { unit: 'accuracy in %', factor: 100, decimals: 1, best: 'highest' } as const;

const metrics: Record<string, MetricDescription> = {
  r2: { title: 'R²', unit: 'R²', factor: 1, decimals: 3, best: 'highest' },
  tau: {
    title: "Kendall's tau",
    unit: "Kendall's tau",
    factor: 1,
    decimals: 3,
    best: 'highest',
    onRequest: true,
  },
  accuracy: { title: 'Accuracy', ...accuracy },
  'ensemble-accuracy': { title: 'Accuracy of the ensemble', ...accuracy },
  'error-overlap': {
    ...{ title: 'Largest overlap of errors with a training network', unit: 'overlap in %' },
    ...{ factor: 100, decimals: 1, best: null },
  },
  'nearest-distance': {
    title: 'Distance to the nearest training network',
    unit: "% of the training networks' own to one another",
    ...{ factor: 100, decimals: 1, best: null },
  },
  'reconstruction-loss': {
    ...{ title: 'Reconstruction loss', unit: 'reconstruction loss', factor: 1, decimals: 3, best: 'lowest' },
  },
  correlation: {
    ...{
      title: 'Correlation with the test accuracy',
      unit: "Pearson's r",
      factor: 1,
      decimals: 3,
      best: null,
    },
  },
};

/** One that is not known is shown under its own name, as it was recorded. */
export const describeMetric = (name: string): MetricDescription =>
  metrics[name] ?? { title: name, unit: name, factor: 1, decimals: 3, best: null };

const titles: Record<string, Readonly<Record<string, string>>> = {
  feature: { ...featureTitles, ...layerFeatureTitles },
  target: targetTitles,
  method: methodTitles,
};

/** A label's or setting's value as tables show it: `SANE` for the feature `sane`. */
export const titleOf = (name: string, value: string): string => titles[name]?.[value] ?? value;
