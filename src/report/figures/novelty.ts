/** Accuracy of generated networks over how new they are (Zeng et al. 2026): the better a method, the farther up and left, or right, it is. */
import * as Plot from '@observablehq/plot';
import type { Run } from '../../experiment/types.ts';
import type { MetricRecord } from '../../stages/result.ts';
import type { RunResults } from '../measure.ts';
import { titleOf } from '../metrics.ts';
import { colors, colorsOf, type Figure, figureWidth, panels } from './draw.ts';

/** What novelty is measured by, and what its axis is called. */
const measures = {
  'error-overlap': 'largest overlap of errors',
  'nearest-distance': 'distance to training networks',
};

interface Dot {
  method: string;
  accuracy: number;
  novelty: number;
}

/** A panel for each measure, with a dot for each network of each run before fine-tuning. Null where none was measured. */
export function drawNovelty(runs: readonly Run[], results: RunResults): Figure | null {
  const records = runs.map(({ id }) => {
    const result = results.get(id);
    return result?.status === 'done' ? result.records : [];
  });
  const dots = Object.keys(measures).map((metric) => records.flatMap((ofRun) => dotsOf(ofRun, metric)));
  const all = [...new Set(dots.flat().map(({ method }) => method))];
  if (all.length === 0) return null;
  const methods = all.slice(0, colors.length);
  const plots = Object.values(measures).map((label, i): Plot.PlotOptions => {
    return {
      ...{ width: figureWidth / 2, height: 300, inset: 6 },
      x: { label, ticks: 5 },
      y: { label: 'accuracy in %' },
      color: colorsOf(methods),
      marks: [
        Plot.dot(
          (dots[i] ?? []).filter(({ method }) => methods.includes(method)),
          { x: 'novelty', y: 'accuracy', stroke: 'method', r: 2.5 },
        ),
      ],
    };
  });
  const which = all.length > methods.length ? ` of the first ${methods.length} of ${all.length} methods` : '';
  const caption = `Accuracy before fine-tuning over novelty, a dot for each network${which}: the largest overlap of its errors with those of a training network (of the images that either gets wrong, those that both do), and its distance to the nearest training network after alignment, 1 being the mean of the training networks to one another`;
  return panels('novelty', caption, plots, methods);
}

/** Networks with their accuracy and this measure. */
function dotsOf(records: readonly MetricRecord[], metric: string): Dot[] {
  const accuracies = new Map(
    records
      .filter((record) => record.metric === 'accuracy' && record.labels.epoch === 0)
      .map(({ sample, value }) => [sample, value]),
  );
  return records.flatMap(({ metric: name, labels, sample, value: novelty }) => {
    const accuracy = accuracies.get(sample);
    if (name !== metric || accuracy === undefined) return [];
    return [{ method: titleOf('method', String(labels.method)), accuracy: 100 * accuracy, novelty }];
  });
}
