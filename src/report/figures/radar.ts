/** The paper's figure 1: Tables 1 to 4 at a glance, with an axis for each kind of task and networks. */
import * as Plot from '@observablehq/plot';
import { summarize } from '../statistics/units.ts';
import type { Cell, Column, Row, Table } from '../table.ts';
import { colorsOf, draw, type Figure } from './draw.ts';

type Series = (typeof seriesNames)[number];
const seriesNames = ['SANE', 'SANE (paper)', 's(W)', 'S_KDE30', 'W, scratch'] as const;

/** Clockwise from the top. Rows of the tables are chosen by their labels; `finetuned` is the last epoch at which SANE has a number. */
const axes = [
  { title: 'accuracy R², ResNets', table: 2, target: 'test-accuracy' },
  { title: 'sampled, ResNets', table: 4, sampled: 'untrained' },
  { title: 'sampled and fine-tuned, ResNets', table: 4, sampled: 'finetuned' },
  { title: 'sampled and fine-tuned, CNNs', table: 3, sampled: 'finetuned' },
  { title: 'sampled, CNNs', table: 3, sampled: 'untrained' },
  { title: 'accuracy R², CNNs', table: 1, target: 'test-accuracy' },
  { title: 'gap R², CNNs', table: 1, target: 'ggap' },
  { title: 'gap R², ResNets', table: 2, target: 'ggap' },
] as const;
type Axis = (typeof axes)[number];

interface Found {
  cell: Cell;
  row: Row;
  column: Column;
}

const saneMethods = new Set(['boot', 'sub']);
const methods: Partial<Record<Series, ReadonlySet<unknown>>> = {
  SANE: saneMethods,
  'SANE (paper)': saneMethods,
  S_KDE30: new Set(['hyper-representation']),
  'W, scratch': new Set(['scratch']),
};
const features: Partial<Record<Series, string>> = {
  ...{ SANE: 'sane', 'SANE (paper)': 'sane', 's(W)': 'statistics', 'W, scratch': 'weights' },
};

/** The cells of a table that are on an axis, before a series is chosen. */
function cellsOn(axis: Axis, table: Table): Found[] {
  const found = table.cells.flatMap((cell) => {
    const row = table.rows.find(({ key }) => key === cell.row);
    const column = table.columns.find(({ key }) => key === cell.column);
    return row && column ? [{ cell, row, column }] : [];
  });
  if ('target' in axis) return found.filter(({ row }) => row.labels.target === axis.target);
  if (axis.sampled === 'untrained') return found.filter(({ row }) => row.labels.epoch === 0);
  // The epoch at which ours are compared, so that the paper's are those of the same.
  const ofSane = found.filter(({ cell, row }) => saneMethods.has(String(row.labels.method)) && cell.measured);
  const last = Math.max(...ofSane.map(({ row }) => Number(row.labels.epoch)));
  return last > 0 ? found.filter(({ row }) => row.labels.epoch === last) : [];
}

/** The mean over data sets, as a fraction; of several methods of SANE the best. Null where there is none. */
function meanOn(series: Series, axis: Axis, table: Table): number | null {
  const cells = cellsOn(axis, table).filter(({ row, column }) =>
    'target' in axis
      ? column.labels.feature === features[series]
      : (methods[series]?.has(row.labels.method) ?? false),
  );
  const means = [...Map.groupBy(cells, ({ row }) => row.key).values()].flatMap((same) => {
    const values = same.flatMap(
      ({ cell }) => (series === 'SANE (paper)' ? cell.paper?.mean : cell.measured?.mean) ?? [],
    );
    return summarize(values)?.mean ?? [];
  });
  return means.length === 0 ? null : Math.max(...means) / ('target' in axis ? 1 : 100);
}

const angle = (i: number) => (2 * Math.PI * i) / axes.length;
const place = (i: number, radius: number) => ({
  x: radius * Math.sin(angle(i)),
  y: radius * Math.cos(angle(i)),
});

/** Of Tables 1 to 4, each of its data sets that has a number. Null where fewer than three axes have a number of ours. */
export function drawRadar(tables: readonly Table[]): Figure | null {
  const points = axes.flatMap((axis, i) => {
    const table = tables.find(({ id }) => id === axis.table);
    if (!table || meanOn('SANE', axis, table) === null) return [];
    return seriesNames.flatMap((series) => {
      const value = meanOn(series, axis, table);
      return value === null ? [] : [{ series, i, value, ...place(i, Math.min(1, Math.max(0, value))) }];
    });
  });
  if (new Set(points.map(({ i }) => i)).size < 3) return null;
  const names = seriesNames.filter((series) => points.some((point) => point.series === series));
  // Between neighbouring axes only: nothing is known of those between others.
  const sides = points.flatMap(({ series, i, x: x1, y: y1 }) => {
    const next = points.find((point) => point.series === series && point.i === (i + 1) % axes.length);
    return next ? [{ series, x1, y1, x2: next.x, y2: next.y }] : [];
  });
  const titles = [...axes.entries()].map(([i, { title }]) => {
    const at = place(i, 1.12);
    const textAnchor = Math.abs(at.x) < 0.1 ? 'middle' : at.x > 0 ? 'start' : 'end';
    return { title, textAnchor, ...at };
  });
  const rings = [0.25, 0.5, 0.75, 1];
  const hidden = { axis: null, domain: [-1.6, 1.6] } as const;
  const caption =
    "Tables 1 to 4 at a glance (as the paper's figure 1): R² and accuracies from 0 in the middle to 1, means over data sets; of negative numbers 0; axes without a number of ours are empty";
  return draw('radar', caption, {
    legend: names,
    ...{
      width: 640,
      height: 480,
      marginLeft: 10,
      marginRight: 10,
      marginTop: 10,
      marginBottom: 10,
      grid: false,
    },
    x: { ...hidden, domain: [-2.1, 2.1] },
    y: { ...hidden, domain: [-1.45, 1.45] },
    color: colorsOf(names),
    marks: [
      ...rings.map((ring) =>
        Plot.line(
          [...axes.keys(), 0].map((i) => place(i, ring)),
          { x: 'x', y: 'y', stroke: '#c5cbd3' },
        ),
      ),
      Plot.link(
        [...axes.keys()].map((i) => ({ ...place(i, 1), zero: 0 })),
        {
          ...{ x1: 'zero', y1: 'zero', x2: 'x', y2: 'y', stroke: '#c5cbd3' },
        },
      ),
      Plot.text(
        rings.map((ring) => ({ ...place(0, ring), ring: String(ring) })),
        {
          ...{ x: 'x', y: 'y', text: 'ring', dx: 14, fill: '#59636e', fontSize: 10 },
        },
      ),
      ...(['start', 'middle', 'end'] as const).map((textAnchor) =>
        Plot.text(
          titles.filter((title) => title.textAnchor === textAnchor),
          { x: 'x', y: 'y', text: 'title', lineWidth: 12, textAnchor },
        ),
      ),
      Plot.link(sides, { x1: 'x1', y1: 'y1', x2: 'x2', y2: 'y2', stroke: 'series', strokeWidth: 2 }),
      Plot.dot(points, { x: 'x', y: 'y', fill: 'series', r: 3.5 }),
    ],
  });
}
