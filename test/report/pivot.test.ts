/** Tables of anything: what is averaged, what is a block of its own, which places have no number. */
import { describe, expect, test } from 'bun:test';
import type { Json } from '../../src/base/json.ts';
import type { Plan, Run, TableRequest } from '../../src/experiment/types.ts';
import { buildTables } from '../../src/report/build.ts';
import { definitionsOf } from '../../src/report/choose.ts';
import type { RunResult } from '../../src/report/measure.ts';
import { html } from '../../src/report/renderers/html.ts';
import { renderTerminal } from '../../src/report/renderers/terminal.ts';
import type { Table } from '../../src/report/table.ts';
import type { MetricRecord } from '../../src/stages/result.ts';
import { makePlan, makeRun, r2 } from './plan.ts';

type Tables = Plan['tables'];

const planOf = (runs: Run[], tables: Tables): Plan => ({ ...makePlan(runs, []), tables });

const done = (runs: Run[], measure: (run: Run) => MetricRecord[]): Map<string, RunResult> =>
  new Map(runs.map((run) => [run.id, { status: 'done', records: measure(run) }]));

/** Two seeds of each combination of widths and weights of the contrast, as the grid of an experiment has them. */
const sweep = (widths: number[], gammas: number[], axes: Record<string, Json> = {}): Run[] =>
  widths.flatMap((width) =>
    gammas.flatMap((gamma) =>
      [0, 1].map((seed) =>
        makeRun({ dataset: 'glyphs', 'sane.d_model': width, 'sane.gamma': gamma, seed, ...axes }),
      ),
    ),
  );

/** SANE's R² is width / 100 + gamma, and 0.01 more with the second seed; the weights' is 0.5 everywhere. */
const measure = ({ settings: { sane }, seed }: Run): MetricRecord[] => [
  r2('sane', 'epoch', sane.d_model / 100 + sane.gamma + seed / 100),
  r2('sane', 'epoch', 0.999, 'train'),
  r2('sane', 'ggap', sane.d_model / 1000),
  r2('weights', 'epoch', 0.5),
];

/** Means of a table's rows, to three decimals. */
const meansOf = ({ rows, columns, cells }: Table) =>
  rows.map(({ titles, key }) => [
    ...titles,
    ...columns.map((column) => {
      const cell = cells.find((one) => one.row === key && one.column === column.key);
      return cell?.measured ? Number(cell.measured.mean.toFixed(3)) : null;
    }),
  ]);

describe('a pivot that is asked for', () => {
  const runs = sweep([64, 8], [0.05, 0]);
  const asked = {
    rows: 'sane.d_model',
    columns: 'sane.gamma',
    metric: 'r2',
    where: { feature: 'sane', target: 'epoch' },
  };

  test('is a metric over two settings, mean and standard deviation over seeds, numbers in their order', () => {
    const [table, ...others] = buildTables(planOf(runs, [asked]), done(runs, measure)) as [Table];
    expect(others).toEqual([]);
    expect(table).toMatchObject({
      ...{ key: 'pivot-r2', id: null, title: 'R² by sane.d_model and sane.gamma', unit: 'R²' },
      ...{
        caption: 'Results of split test, feature SANE, target Ep.',
        stub: ['sane.d_model'],
        conditions: [],
      },
    });
    expect(table.columnGroups.map(({ title }) => title)).toEqual(['sane.gamma']);
    expect(table.columns.map(({ title }) => title)).toEqual(['0', '0.05']);
    expect(meansOf(table)).toEqual([
      ['8', 0.085, 0.135],
      ['64', 0.645, 0.695],
    ]);
    const [first] = table.cells;
    expect(first?.measured?.n).toBe(2);
    expect(first?.measured?.sd).toBeCloseTo(0.01 / Math.SQRT2, 12);
    expect(table.notes.slice(1)).toEqual(['n = 2 seeds.']);
  });

  test('has the labels of its cells in the CSV file', () => {
    const [table] = buildTables(planOf(runs, [asked]), done(runs, measure)) as [Table];
    expect(table.rows[0]?.labels).toEqual({
      split: 'test',
      feature: 'sane',
      target: 'epoch',
      'sane.d_model': '8',
    });
    expect(table.columns[1]?.labels).toEqual({ 'sane.gamma': '0.05' });
  });

  test('has a block for each value of what else varies, and never averages over it', () => {
    const all = [...runs, ...sweep([64, 8], [0.05, 0], { dataset: 'mnist' })];
    const tables = buildTables(
      planOf(all, [{ rows: 'sane.d_model', columns: 'sane.gamma', metric: 'r2' }]),
      done(all, measure),
    );
    expect(tables[0]?.stub).toEqual(['feature, target, dataset', 'sane.d_model']);
    expect([...new Set(tables[0]?.rows.map(({ titles }) => titles[0]))]).toEqual([
      'SANE, Ep, glyphs',
      'SANE, Ep, mnist',
      'SANE, Ggap, glyphs',
      'SANE, Ggap, mnist',
      'W, Ep, glyphs',
      'W, Ep, mnist',
    ]);
    expect(tables[0]?.cells.every(({ measured }) => (measured?.n ?? 0) <= 2)).toBe(true);
  });

  test('takes labels and settings as rows and columns, two of each', () => {
    const request: TableRequest = {
      rows: ['target', 'feature'],
      columns: ['sane.d_model', 'sane.gamma'],
      metric: 'r2',
      title: 'All of it',
    };
    const [table] = buildTables(planOf(runs, [request]), done(runs, measure)) as [Table];
    expect(table.title).toBe('All of it');
    expect(table.columnGroups.map(({ title }) => title)).toEqual(['sane.d_model 8', 'sane.d_model 64']);
    expect(table.columns.map(({ title }) => title)).toEqual([
      'sane.gamma 0',
      'sane.gamma 0.05',
      'sane.gamma 0',
      'sane.gamma 0.05',
    ]);
    expect(meansOf(table)).toEqual([
      ['Ep', 'SANE', 0.085, 0.135, 0.645, 0.695],
      ['Ep', 'W', 0.5, 0.5, 0.5, 0.5],
      ['Ggap', 'SANE', 0.008, 0.008, 0.064, 0.064],
    ]);
  });

  test('marks places without a run, unfinished ones and failed ones', () => {
    const some = runs.filter(({ settings: { sane } }) => sane.d_model !== 8 || sane.gamma !== 0);
    const results = done(some, measure);
    const of = (width: number, gamma: number) =>
      some.filter(({ settings: { sane } }) => sane.d_model === width && sane.gamma === gamma);
    for (const { id } of of(64, 0)) results.set(id, { status: 'failed', reason: 'out of memory' });
    for (const { id } of of(64, 0.05)) results.delete(id);
    const [table] = buildTables(planOf(some, [asked]), results) as [Table];
    const marked = table.cells.map(({ status, pending, note }) => [status, pending, note]);
    expect(marked).toEqual([
      ['missing', false, ''],
      ['measured', false, ''],
      ['failed', false, '2 of 2 runs failed: out of memory'],
      ['missing', true, '2 of 2 runs not finished'],
    ]);
    const text = renderTerminal([table], { color: false, view: {} });
    expect(text).toMatch(/^8 +– +0\.135 ± 0\.007$/m);
    expect(text).toMatch(/^64 +failed +not run$/m);
    expect(text).toContain('3 of 4 cells have no number');
    // A unit that the title does not begin with is in it.
    expect(text).toMatch(/^R² by sane\.d_model and sane\.gamma$/m);
    const other = renderTerminal([{ ...table, unit: '%' }], { color: false, view: {} });
    expect(other).toMatch(/^R² by sane\.d_model and sane\.gamma \(%\)$/m);
  });

  test('says where it asks for what no result has', () => {
    const request = { ...asked, where: { feature: 'sanee' } };
    const [table] = buildTables(planOf(runs, [request]), done(runs, measure)) as [Table];
    expect(table.notes).toContain('No result has feature sanee; there are sane, weights.');
    expect(table.cells.every(({ measured }) => measured === null)).toBe(true);
  });

  test('is a heat map in HTML, each block from its worst to its best', () => {
    const [table] = buildTables(planOf(runs, [asked]), done(runs, measure)) as [Table];
    const colors = [...(html.render(table, {}) as string).matchAll(/background:(rgb\([\d ]+\))/g)].map(
      ([, color]) => color,
    );
    expect(colors.length).toBe(4);
    expect(colors[0]).toBe('rgb(244 248 255)');
    expect(colors[3]).toBe('rgb(124 170 243)');
  });
});

describe('without being asked', () => {
  test('a sweep of settings ends in a pivot for each metric, without what it does not change', () => {
    const runs = sweep([8, 64], [0, 0.05]);
    const tables = buildTables(planOf(runs, null), done(runs, measure));
    expect(tables.map(({ key }) => key)).toEqual(['sweep-r2']);
    expect(meansOf(tables[0] as Table)).toEqual([
      ['SANE, Ep', '8', 0.085, 0.135],
      ['SANE, Ep', '64', 0.645, 0.695],
      ['SANE, Ggap', '8', 0.008, 0.008],
      ['SANE, Ggap', '64', 0.064, 0.064],
    ]);
    expect(tables[0]?.notes).toContain('The same in every cell, and so left out: W, Ep.');
  });

  test('a sweep of one setting has labels as its columns', () => {
    const runs = sweep([8, 64], [0]);
    const [table] = buildTables(planOf(runs, null), done(runs, measure)) as [Table];
    expect(table.title).toBe('R² by sane.d_model and feature');
    expect(meansOf(table)).toEqual([
      ['Ep', '8', 0.085, 0.5],
      ['Ep', '64', 0.645, 0.5],
      ['Ggap', '8', 0.008, null],
      ['Ggap', '64', 0.064, null],
    ]);
  });

  test('the paper’s table that is asked for comes with the pivot of the sweep, which is not repeated where it is asked for too', () => {
    const runs = sweep([8, 64], [0, 0.05]);
    const keys = (tables: Tables) =>
      buildTables(planOf(runs, tables), done(runs, measure)).map(({ key }) => key);
    expect(keys([1])).toEqual(['table-01', 'sweep-r2']);
    const pivot = { rows: 'sane.d_model', columns: 'sane.gamma', metric: 'r2' };
    expect(keys([1, pivot])).toEqual(['table-01', 'pivot-r2']);
    expect(keys([pivot, pivot])).toEqual(['pivot-r2', 'pivot-r2-2']);
  });

  test('runs of which the paper has no table have their results in one', () => {
    const runs = [0, 1].map((seed) => makeRun({ dataset: 'usps', seed }));
    const tables = buildTables(planOf(runs, null), done(runs, measure));
    expect(tables.map(({ key, title }) => [key, title])).toEqual([
      ['results-r2', 'R² by target and feature'],
    ]);
    // The default width is 1024, the default gamma 0.05.
    expect(meansOf(tables[0] as Table)).toEqual([
      ['Ep', 10.295, 0.5],
      ['Ggap', 1.024, null],
    ]);
  });

  test('runs that tables hold without a sweep have no pivot', () => {
    const runs = [0, 1].map((seed) => makeRun({ dataset: 'glyphs', seed }));
    expect(buildTables(planOf(runs, [1]), done(runs, measure)).map(({ key }) => key)).toEqual(['table-01']);
  });
});

describe('an experiment that names no tables', () => {
  const idsOf = (runs: Run[]) => definitionsOf(planOf(runs, null)).map(({ id }) => id);

  test('has those of its own data sets, and not one that another says all of', () => {
    expect(idsOf([makeRun({ dataset: 'svhn' })])).toEqual([1, 11]);
    expect(idsOf([makeRun({ dataset: 'stl-10' })])).toEqual([9]);
    expect(idsOf([makeRun({ dataset: 'mnist' }), makeRun({ dataset: 'stl-10' })])).toEqual([1, 9, 10]);
  });

  test('has those of the first data set that its own stands in for', () => {
    expect(idsOf([makeRun({ dataset: 'glyphs' })])).toEqual([1, 10]);
  });

  test('has none of a data set that stands in for nothing', () => {
    expect(idsOf([makeRun({ dataset: 'usps' })])).toEqual([]);
  });
});
