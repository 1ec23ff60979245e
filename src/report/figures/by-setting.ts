/** The cells of one of the paper's tables over a setting of which an experiment has several values: do they come nearer to the paper's? */
import * as Plot from '@observablehq/plot';
import { settingOf } from '../../experiment/settings.ts';
import type { Run } from '../../experiment/types.ts';
import { groupRuns } from '../groups.ts';
import { type Cell, rowTitle, type Table } from '../table.ts';
import { tableDefinitions } from '../tables/registry.ts';
import { colorsOf, type Figure, figureWidth, panels } from './draw.ts';

/** As a line has to have. */
const fewest = 3;
const panelWidth = figureWidth / 2;

/** A panel for each row of the table, a line for each column, the paper's number as a dashed line; one figure for each data set and setting. */
export function drawBySetting(tables: readonly Table[], runs: readonly Run[]): Figure[] {
  return tables.flatMap((table) => {
    const definition = tableDefinitions.find(({ id }) => id === table.id);
    if (!definition) return [];
    const columns = new Set(table.cells.flatMap(({ measured, column }) => (measured ? [column] : [])));
    const measured = new Set(table.columns.filter(({ key }) => columns.has(key)).map(({ group }) => group));
    const swept = groupRuns(definition, [...runs]).flatMap(({ key, runs: [run], varying }): Group[] => {
      const [setting, ...others] = varying;
      const value = run && setting?.includes('.') ? settingOf(run.settings, setting) : null;
      if (typeof value !== 'number' || others.length > 0 || !measured.has(key)) return [];
      return [{ key, value, setting: setting as string, dataset: key.slice(0, key.indexOf(',')) }];
    });
    return [...Map.groupBy(swept, ({ setting, dataset }) => `${setting} ${dataset}`).values()]
      .filter((groups) => groups.length >= fewest)
      .map((groups, i) => drawTable(table, groups, i));
  });
}

interface Group {
  key: string;
  value: number;
  setting: string;
  /** The data sets of its runs, as the table names them. */
  dataset: string;
}

function drawTable(table: Table, groups: readonly Group[], i: number): Figure {
  const { setting, dataset } = groups[0] as Group;
  const points = groups.flatMap(({ key, value }) =>
    table.columns
      .filter(({ group }) => group === key)
      .flatMap((column) =>
        table.cells
          .filter((cell) => cell.column === column.key && cell.measured)
          .map((cell) => ({ ...pointOf(cell, value), row: cell.row, series: column.title })),
      ),
  );
  const names = [...new Set(points.map(({ series }) => series))];
  const values = [...new Set(groups.map(({ value }) => value))].sort((a, b) => a - b);
  const rows = table.rows.filter(({ key }) => points.some(({ row }) => row === key));
  const [first, last] = [values[0] as number, values.at(-1) as number];
  // Powers of two and the like stand equally far apart; a setting may be 0, which has no logarithm.
  const isGeometric = first > 0 && last / first >= 4;
  const at = (value: number) => (isGeometric ? Math.log2(value) : value);
  const plots = rows.map((row): Plot.PlotOptions => {
    const own = points
      .filter((point) => point.row === row.key)
      .map((point) => ({ ...point, at: at(point.value) }));
    const one = { x: 'at', stroke: 'series', z: 'series' };
    const papers = own.flatMap(({ series, paper }) => (paper === null ? [] : [{ series, paper }]));
    return {
      ...{ width: panelWidth, height: 260 },
      x: {
        label: setting,
        ticks: values.map(at),
        tickFormat: (x: number) => String(isGeometric ? Number((2 ** x).toPrecision(6)) : x),
        inset: 8,
      },
      y: { label: `${rowTitle(row)}, ${table.unit}`, nice: true },
      color: colorsOf(names),
      marks: [
        Plot.ruleY(papers, { y: 'paper', stroke: 'series', strokeDasharray: '4 3' }),
        Plot.ruleX(
          own.filter(({ low }) => low !== null),
          { ...one, y1: 'low', y2: 'high', strokeOpacity: 0.5 },
        ),
        Plot.lineY(own, { ...one, y: 'mean' }),
        Plot.dot(own, { ...one, y: 'mean', fill: 'series', r: 3 }),
      ],
    };
  });
  const caption = `Table ${table.id} by ${setting}, ${dataset}: means with their 95 % intervals; dashed: the paper's numbers`;
  return panels(
    `table-${String(table.id).padStart(2, '0')}-by-${setting.replaceAll(/[._]/g, '-')}${i > 0 ? `-${i + 1}` : ''}`,
    caption,
    plots,
    names,
  );
}

const pointOf = ({ measured, paper }: Cell, value: number) => ({
  ...{ value, mean: measured?.mean ?? Number.NaN, paper: paper?.mean ?? null },
  ...{ low: measured?.interval?.[0] ?? null, high: measured?.interval?.[1] ?? null },
});
