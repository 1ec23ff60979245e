/** The paper's figure 6: the reconstruction loss by the length of the window that SANE sees at once. */
import * as Plot from '@observablehq/plot';
import type { Run } from '../../experiment/types.ts';
import type { RunResults } from '../measure.ts';
import { buildPivot } from '../pivot.ts';
import { colorsOf, draw, type Figure } from './draw.ts';

/** Mean and standard deviation over seeds; a line for each architecture and data set. Null where no run measured it. */
export function drawLossByWindow(runs: readonly Run[], results: RunResults): Figure | null {
  const request = {
    metric: 'reconstruction-loss',
    rows: ['window'],
    columns: ['architecture', 'dataset'],
    where: {},
  };
  const analysing = runs.filter(({ task }) => task === 'analysis');
  const { rows, columns, cells } = buildPivot('windows', request, analysing, results);
  const points = cells.flatMap(({ row, column, measured }) => {
    const window = Number(rows.find(({ key }) => key === row)?.titles.at(-1));
    const of = columns.find(({ key }) => key === column);
    if (!measured || !of) return [];
    const { mean, sd } = measured;
    return [{ window, series: of.title, mean, low: mean - (sd ?? 0), high: mean + (sd ?? 0) }];
  });
  if (points.length === 0) return null;
  const names = [...new Set(points.map(({ series }) => series))];
  const trained = [...new Set(analysing.map(({ settings }) => settings.sane.window))];
  const lengths = [...new Set(points.map(({ window }) => window))];
  const most = Math.max(...lengths);
  const one = { x: 'window', stroke: 'series' };
  const caption =
    "Reconstruction loss of the test models by the tokens that SANE sees at once (as the paper's figure 6), mean and standard deviation over seeds; dashed: the window of pretraining";
  return draw('loss-by-window', caption, {
    legend: names,
    x: { label: 'tokens in a window', type: 'log', ticks: lengths, tickFormat: 'd' },
    y: { label: 'reconstruction loss', zero: true },
    color: colorsOf(names),
    marks: [
      Plot.ruleX(
        trained.filter((window) => window <= most),
        { strokeDasharray: '4 3' },
      ),
      Plot.areaY(points, { x: 'window', y1: 'low', y2: 'high', fill: 'series', fillOpacity: 0.15 }),
      Plot.lineY(points, { ...one, y: 'mean' }),
      Plot.dot(points, { ...one, y: 'mean', fill: 'series', r: 3 }),
    ],
  });
}
