/** The paper's figure 6: the reconstruction loss by the length of the window that SANE sees at once. */
import * as Plot from '@observablehq/plot';
import type { Run } from '../../experiment/types.ts';
import type { RunResults } from '../measure.ts';
import { pathOf, summarize, unitsOf } from '../statistics/units.ts';
import { colorsOf, draw, type Figure } from './draw.ts';
import { bandOf, variant } from './series.ts';

/** Mean and standard deviation over what is independent; a line for each architecture, data set and setting that varies. Null where fewer than two lengths were measured. */
export function drawLossByWindow(runs: readonly Run[], results: RunResults): Figure | null {
  const analysing = runs.filter(({ task }) => task === 'analysis');
  const found = analysing.flatMap((run) => {
    const { id, architecture, dataset } = run;
    const series = `${architecture}, ${dataset}${variant(run, analysing)}`;
    const result = results.get(id);
    if (result?.status !== 'done') return [];
    const losses = result.records.filter(({ metric }) => metric === 'reconstruction-loss');
    return losses.map((record) => ({
      ...{ series, window: Number(record.labels.window) },
      ...{ path: pathOf(run, record), value: record.value },
    }));
  });
  const groups = Map.groupBy(found, ({ series, window }) => JSON.stringify([series, window]));
  const points = [...groups.values()].flatMap((same) => {
    const measured = summarize([...(unitsOf(same)?.values.values() ?? [])]);
    const [first] = same;
    if (!measured || !first) return [];
    return [{ ...first, position: Math.log2(first.window), ...bandOf(measured) }];
  });
  if (new Set(points.map(({ window }) => window)).size < 2) return null;
  const names = [...new Set(points.map(({ series }) => series))];
  const trained = [...new Set(analysing.map(({ settings }) => settings.sane.window))];
  const lengths = [...new Set(points.map(({ window }) => window))];
  const most = Math.max(...lengths);
  const one = { x: 'position', stroke: 'series', z: 'series' };
  const caption =
    "Reconstruction loss of the test models by the tokens that SANE sees at once (as the paper's figure 6), mean and standard deviation; dashed: the window of pretraining";
  return draw('loss-by-window', caption, {
    legend: names,
    // Plot leaves labels out of a logarithmic axis.
    x: {
      label: 'tokens in a window',
      ticks: lengths.map(Math.log2),
      tickFormat: (x: number) => String(Math.round(2 ** x)),
    },
    y: { label: 'reconstruction loss', zero: true },
    color: colorsOf(names),
    marks: [
      Plot.ruleX(trained.filter((window) => window <= most).map(Math.log2), { strokeDasharray: '4 3' }),
      Plot.areaY(points, {
        x: 'position',
        y1: 'low',
        y2: 'high',
        fill: 'series',
        z: 'series',
        fillOpacity: 0.15,
      }),
      Plot.lineY(points, { ...one, y: 'mean' }),
      Plot.dot(points, { ...one, y: 'mean', fill: 'series', r: 3 }),
    ],
  });
}
