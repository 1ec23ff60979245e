/** Features of layers: over their index in the network (the paper's figures 3, 8 and 9), and accuracy over their mean (4, 10 and 11). */
import * as Plot from '@observablehq/plot';
import { correlation } from '../../base/correlation.ts';
import { summarize } from '../statistics/units.ts';
import { colorsOf, type Figure, figureWidth, panels } from './draw.ts';
import { type FeatureName, featureNames, layerFeatureTitles } from './titles.ts';

/** One layer, and of its features those that it has. */
export type Layer = { layer: string } & Partial<Record<FeatureName, number>>;

export interface FeaturedNetwork {
  /** Networks of one series have one colour: a run, an architecture, a file. */
  series: string;
  /** On test images, as a fraction; null: not known. */
  accuracy: number | null;
  layers: readonly Layer[];
}

/** Those that some network has. */
export const featuresOf = (networks: readonly { layers: readonly Layer[] }[]): FeatureName[] =>
  featureNames.filter((name) =>
    networks.some(({ layers }) => layers.some((layer) => layer[name] !== undefined)),
  );

/** The mean of a feature over the layers that have it, which is that of the network, as WeightWatcher's summary has it. */
export function networkFeature(layers: readonly Layer[], name: FeatureName): number | null {
  return summarize(layers.flatMap((layer) => layer[name] ?? []))?.mean ?? null;
}

const seriesOf = (networks: readonly FeaturedNetwork[]) => [...new Set(networks.map(({ series }) => series))];
const panel = { width: figureWidth / 2, height: 240 };

/** A panel for each feature: the mean over the networks of a series, and their standard deviation as a band. */
export function drawFeaturesByLayer(networks: readonly FeaturedNetwork[]): Figure {
  const names = seriesOf(networks);
  const plots = featuresOf(networks).map((feature): Plot.PlotOptions => {
    const points = names.flatMap((series) => {
      const own = networks.filter((network) => network.series === series);
      const depth = Math.max(...own.map(({ layers }) => layers.length));
      return Array.from({ length: depth }, (_, i) => {
        const measured = summarize(own.flatMap(({ layers }) => layers[i]?.[feature] ?? []));
        if (!measured) return [];
        const { mean, sd } = measured;
        return [{ series, layer: i + 1, mean, low: mean - (sd ?? 0), high: mean + (sd ?? 0) }];
      }).flat();
    });
    const one = { x: 'layer', stroke: 'series', z: 'series' };
    return {
      ...panel,
      x: { label: 'layer', tickFormat: 'd', ticks: 6 },
      y: { label: layerFeatureTitles[feature] },
      color: colorsOf(names),
      marks: [
        Plot.areaY(points, {
          x: 'layer',
          y1: 'low',
          y2: 'high',
          fill: 'series',
          z: 'series',
          fillOpacity: 0.15,
        }),
        Plot.lineY(points, { ...one, y: 'mean' }),
        Plot.dot(points, { ...one, y: 'mean', fill: 'series', r: 2 }),
      ],
    };
  });
  const caption =
    "Features by layer (as the paper's figures 3, 8 and 9): WeightWatcher's and those of SANE's embeddings, mean and standard deviation over networks";
  return panels('features-by-layer', caption, plots, names);
}

/** A panel for each feature: networks of known accuracy over the mean of the feature over their layers. Null where fewer than two have one. */
export function drawAccuracyOverFeatures(networks: readonly FeaturedNetwork[]): Figure | null {
  const known = networks.filter(({ accuracy }) => accuracy !== null);
  if (known.length < 2) return null;
  const names = seriesOf(known);
  const plots = featuresOf(known).map((feature): Plot.PlotOptions => {
    const points = known.flatMap(({ series, accuracy, layers }) => {
      const value = networkFeature(layers, feature);
      return value === null ? [] : [{ series, value, accuracy: 100 * (accuracy as number) }];
    });
    const r = correlation(
      points.map(({ value }) => value),
      points.map(({ accuracy }) => accuracy),
    );
    return {
      ...panel,
      x: {
        label: `${layerFeatureTitles[feature]}${Number.isFinite(r) ? ` (r = ${r.toFixed(2)})` : ''}`,
        ticks: 4,
      },
      y: { label: 'accuracy in %' },
      inset: 6,
      color: colorsOf(names),
      marks: [Plot.dot(points, { x: 'value', y: 'accuracy', stroke: 'series', r: 2.5 })],
    };
  });
  const caption =
    "Test accuracy over the mean of each feature over layers (as the paper's figures 4, 10 and 11), a dot for each network, with Pearson's correlation r";
  return panels('accuracy-over-features', caption, plots, names);
}
