/** Figures of training: learning curves, predictions, fine-tuning. */
import * as Plot from '@observablehq/plot';
import { titleOf } from '../metrics.ts';
import type { Table } from '../table.ts';
import { colorOf, colorsOf, draw, type Figure, figureWidth, someOf } from './draw.ts';
import type { LearningCurve, Prediction } from './evidence.ts';
import { bandOf } from './series.ts';

/** Training and validation loss of each SANE over the epochs of its pretraining. */
export function drawCurves(curves: readonly LearningCurve[], all: number): Figure {
  const points = curves.flatMap(({ run, epochs }) => epochs.map((point) => ({ run, ...point })));
  const one = { x: 'epoch', stroke: 'run', z: 'run' };
  const which = all > curves.length ? `the first ${curves.length} of ${all} SANEs` : 'each SANE';
  return draw(
    'learning-curves',
    `Reconstruction loss of ${which} by epoch: training dashed, validation solid`,
    {
      x: { label: 'epoch', ticks: someOf([...new Set(points.map(({ epoch }) => epoch))]), tickFormat: 'd' },
      y: { label: 'reconstruction loss', zero: true },
      ...(curves.length > 1 ? { legend: curves.map(({ run }) => run) } : {}),
      color: colorsOf(curves.map(({ run }) => run)),
      marks: [
        Plot.lineY(points, { ...one, y: 'training', strokeDasharray: '4 3' }),
        Plot.lineY(points, { ...one, y: 'validation' }),
        Plot.dot(points, { ...one, y: 'validation', r: 2 }),
      ],
    },
  );
}

/** Predicted over actual test accuracy of the test models, one panel for each feature. */
export function drawPredictions(run: string, points: readonly Prediction[]): Figure {
  const shown = points.map(({ feature, actual, predicted }) => ({
    ...{ feature: titleOf('feature', feature), actual: 100 * actual, predicted: 100 * predicted },
  }));
  const features = new Set(shown.map(({ feature }) => feature));
  return draw(
    'predicted-accuracy',
    `Predicted against actual accuracy of the test models, in %, by feature (${run})`,
    {
      width: Math.max(figureWidth, 220 * features.size),
      x: { label: 'actual accuracy' },
      y: { label: 'predicted accuracy' },
      fx: { label: null, domain: [...features] },
      marks: [
        Plot.frame({ stroke: '#c5cbd3' }),
        Plot.line(
          [0, 100].map((value) => [value, value] as [number, number]),
          { stroke: '#59636e', strokeDasharray: '4 3', clip: true },
        ),
        Plot.dot(shown, { x: 'actual', y: 'predicted', fx: 'feature', r: 2.5, stroke: colorOf(0) }),
      ],
    },
  );
}

/** Accuracy over epochs of fine-tuning for each method, with ± as bands: a chart for each block of a pivot whose rows are epochs and whose columns are methods. */
export function drawFineTuning(pivot: Table): Figure[] {
  const blocks = Map.groupBy(pivot.rows, ({ titles }) => (titles.length > 1 ? (titles[0] as string) : ''));
  return [...blocks].map(([block, rows], i) => {
    const points = rows.flatMap(({ key, titles }) =>
      pivot.columns.flatMap((column) => {
        const cell = pivot.cells.find((one) => one.row === key && one.column === column.key);
        if (!cell?.measured) return [];
        return [{ epoch: Number(titles.at(-1)), method: column.title, ...bandOf(cell.measured) }];
      }),
    );
    const one = { x: 'epoch', stroke: 'method', z: 'method' };
    return draw(
      i === 0 ? 'fine-tuning' : `fine-tuning-${i + 1}`,
      `Accuracy in % by epoch of fine-tuning, mean and standard deviation${block ? ` (${block})` : ''}`,
      {
        x: {
          label: 'epoch of fine-tuning',
          ticks: [...new Set(points.map(({ epoch }) => epoch))],
          tickFormat: 'd',
        },
        y: { label: 'accuracy in %', zero: true },
        legend: pivot.columns.map(({ title }) => title),
        color: colorsOf(pivot.columns.map(({ title }) => title)),
        marks: [
          Plot.areaY(points, {
            x: 'epoch',
            y1: 'low',
            y2: 'high',
            fill: 'method',
            z: 'method',
            fillOpacity: 0.15,
          }),
          Plot.lineY(points, { ...one, y: 'mean', strokeWidth: 2 }),
          Plot.dot(points, { ...one, y: 'mean', fill: 'method', r: 2.5 }),
        ],
      },
    );
  });
}
