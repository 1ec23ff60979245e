/** A table of anything: a metric over settings and labels, mean and ± over seeds, with the places that have no number. */
import type { Run } from '../experiment/types.ts';
import type { MetricRecord } from '../stages/result.ts';
import { immaterial, text } from './groups.ts';
import { countUnfinished, failures, type RunResults, replicateOf, summarize } from './measure.ts';
import { describeMetric, titleOf } from './metrics.ts';
import type { Cell, Column, ColumnGroup, Row, Table } from './table.ts';

/** What a pivot shows. Names are those of axes, dotted settings, or labels of the results. */
export interface PivotRequest {
  metric: string;
  rows: readonly string[];
  columns: readonly string[];
  /** Values that results must have. */
  where: Readonly<Record<string, readonly string[]>>;
  title?: string;
  /** Whether blocks in which nothing differs are left out. */
  skipConstant?: true;
}

/** One record with everything that it is about. */
interface Point {
  run: Run;
  attributes: Record<string, string>;
  replicate: string;
  value: number;
}

const seeds = new Set(['seed', 'zoo.seed']);

/**
 * The pivot over the finished runs. What varies beside its rows and columns is not averaged over, but has a block of rows for each value; only results that
 * differ in nothing but their seeds make one mean. Where results are of several splits and nothing is said, those of the test split are taken.
 */
export function buildPivot(
  key: string,
  request: PivotRequest,
  runs: readonly Run[],
  results: RunResults,
): Table {
  const { metric, rows, columns } = request;
  const { title, unit, factor, decimals, best } = describeMetric(metric);
  const all = pointsOf(metric, runs, results);
  const chosen = { ...defaultSplit(all, request), ...request.where };
  const matches = (attributes: Record<string, string>) =>
    Object.entries(chosen).every(
      ([name, values]) => !(name in attributes) || values.includes(attributes[name] as string),
    );
  const points = all.filter(({ attributes }) => matches(attributes));
  const own = runs
    .map((run) => ({ run, attributes: attributesOf(run) }))
    .filter(({ attributes }) => matches(attributes));
  const blocks = blockNames(points, request);

  const places = [...points, ...own];
  const rowNames = [...blocks, ...rows];
  const rowKeys = distinct(points.length > 0 ? points : own, places, rowNames);
  const columnKeys = distinct(places, places, columns);
  const cells: Cell[] = [];
  const byPlace = Map.groupBy(points, ({ attributes }) =>
    JSON.stringify([pick(attributes, rowNames), pick(attributes, columns)]),
  );
  for (const row of rowKeys) {
    for (const column of columnKeys) {
      const here = byPlace.get(JSON.stringify([row, column])) ?? [];
      const wanted = Object.fromEntries(
        [...rowNames, ...columns].map((name, i) => [name, [...row, ...column][i]]),
      );
      const ofPlace = own.filter(({ attributes }) =>
        Object.entries(wanted).every(([name, value]) => !(name in attributes) || attributes[name] === value),
      );
      const place = { row: JSON.stringify(row), column: JSON.stringify(column) };
      cells.push({
        ...place,
        ...measurePlace(
          here,
          ofPlace.map(({ run }) => run),
          results,
          factor,
        ),
      });
    }
  }
  const isConstant = (block: string) => {
    const means = cells.flatMap(({ row, measured }) =>
      measured && JSON.stringify(JSON.parse(row).slice(0, blocks.length)) === block ? [measured.mean] : [],
    );
    return means.length > 1 && new Set(means).size === 1;
  };
  const keyOfBlock = (row: readonly string[]) => JSON.stringify(row.slice(0, blocks.length));
  const constant = request.skipConstant
    ? new Set(rowKeys.map(keyOfBlock).filter(isConstant))
    : new Set<string>();
  const shown =
    constant.size < new Set(rowKeys.map(keyOfBlock)).size
      ? rowKeys.filter((row) => !constant.has(keyOfBlock(row)))
      : rowKeys;
  const blockTitle = (row: readonly string[]) =>
    blocks.map((name, i) => titled(name, row[i] as string)).join(', ');
  const kept = new Set(shown.map((row) => JSON.stringify(row)));
  const over = [...rows, ...columns].join(' and ');
  const constants = [...new Set(rowKeys.filter((row) => !kept.has(JSON.stringify(row))).map(blockTitle))];
  const fixed = Object.entries(chosen).filter(([name]) => ![...rowNames, ...columns].includes(name));
  return {
    key,
    id: null,
    title: request.title ?? `${title} by ${over}`,
    caption:
      fixed.length > 0
        ? `Of ${fixed.map(([name, values]) => `${name} ${values.map((value) => titleOf(name, value)).join(' or ')}`).join(', ')}.`
        : '',
    unit,
    decimals,
    best: best && { among: 'block', is: best },
    stub: [...(blocks.length > 0 ? [blocks.join(', ')] : []), ...rows],
    columnGroups: groupsOf(columnKeys, columns),
    columns: columnKeys.map((values) => columnOf(values, columns, title)),
    rows: shown.map(
      (values): Row => ({
        key: JSON.stringify(values),
        titles: [
          ...(blocks.length > 0 ? [blockTitle(values)] : []),
          ...rows.map((name, i) => titleOf(name, values[blocks.length + i] as string)),
        ],
        labels: {
          ...Object.fromEntries(
            fixed.flatMap(([name, values]) => (values.length === 1 ? [[name, values[0] as string]] : [])),
          ),
          ...Object.fromEntries(rowNames.map((name, i) => [name, values[i] as string])),
        },
      }),
    ),
    cells: cells.filter(({ row }) => kept.has(row)),
    claims: [],
    notes: [
      `± is the sample standard deviation over n results that differ in nothing but their seeds${points.some(({ replicate }) => !replicate.endsWith(' ')) ? ' and networks' : ''}; there is none where n is 1.`,
      ...countNote(cells.filter(({ row }) => kept.has(row))),
      ...(constants.length > 0 ? [`The same in every place, and so left out: ${constants.join('; ')}.`] : []),
    ],
    conditions: [],
    view: {},
  };
}

/** What a run is about: its axes and all settings that change a number. */
function attributesOf({ architecture, dataset, task, seed, settings }: Run): Record<string, string> {
  const entries = Object.entries(settings).flatMap(([block, values]) =>
    Object.entries(values).map(([name, value]) => [`${block}.${name}`, text(value)] as const),
  );
  return { architecture, dataset, task, seed: String(seed), ...Object.fromEntries(entries) };
}

function pointsOf(metric: string, runs: readonly Run[], results: RunResults): Point[] {
  return runs.flatMap((run) => {
    const result = results.get(run.id);
    if (result?.status !== 'done') return [];
    const ofRun = attributesOf(run);
    return result.records
      .filter((record) => record.metric === metric)
      .map((record: MetricRecord): Point => {
        const labels = Object.entries(record.labels).map(([name, value]) => [name, text(value)]);
        return {
          run,
          attributes: { ...ofRun, ...Object.fromEntries(labels) },
          replicate: replicateOf(run, record),
          value: record.value,
        };
      });
  });
}

function defaultSplit(points: readonly Point[], { rows, columns }: PivotRequest): Record<string, string[]> {
  const isAsked = rows.includes('split') || columns.includes('split');
  return !isAsked && points.some(({ attributes }) => attributes.split === 'test') ? { split: ['test'] } : {};
}

const pick = (attributes: Readonly<Record<string, string>>, names: readonly string[]): string[] =>
  names.map((name) => attributes[name] ?? '');

/** What varies beside rows, columns and seeds, without what these settle already. */
function blockNames(points: readonly Point[], { rows, columns }: PivotRequest): string[] {
  const names: string[] = [];
  const candidates = new Set(points.flatMap(({ attributes }) => Object.keys(attributes)));
  // Labels come after the settings of a run in its attributes, and say more.
  for (const name of [...candidates].reverse()) {
    if (rows.includes(name) || columns.includes(name) || seeds.has(name) || immaterial.has(name)) continue;
    const settled = [...rows, ...columns, ...names];
    const values = new Map<string, string>();
    const isSettled = points.every(({ attributes }) => {
      const key = JSON.stringify(pick(attributes, settled));
      const value = attributes[name] ?? '';
      if (!values.has(key)) values.set(key, value);
      return values.get(key) === value;
    });
    if (!isSettled) names.push(name);
  }
  return names;
}

/** The combinations of values that occur, numbers in their order and other values in that of the grid, `places`. */
function distinct(
  of: readonly { attributes: Record<string, string> }[],
  places: readonly { attributes: Record<string, string> }[],
  names: readonly string[],
): string[][] {
  const orders = names.map((name) => {
    const values = [...new Set(places.map(({ attributes }) => attributes[name] ?? ''))];
    if (values.every((value) => value !== '' && Number.isFinite(Number(value))))
      values.sort((a, b) => Number(a) - Number(b));
    return new Map(values.map((value, i) => [value, i]));
  });
  const found = new Map(
    of.map(({ attributes }) => [JSON.stringify(pick(attributes, names)), pick(attributes, names)]),
  );
  const rank = (values: readonly string[], i: number) => orders[i]?.get(values[i] as string) ?? 0;
  return [...found.values()].sort((a, b) =>
    names.reduce((order, _, i) => order || rank(a, i) - rank(b, i), 0),
  );
}

function measurePlace(
  points: readonly Point[],
  runs: Run[],
  results: RunResults,
  factor: number,
): Omit<Cell, 'row' | 'column'> {
  const values = [...new Map(points.map(({ replicate, value }) => [replicate, factor * value])).values()];
  const measured = summarize(values.filter(Number.isFinite));
  const reasons = failures(runs, results);
  if (!values.every(Number.isFinite)) reasons.push('a result is not a finite number');
  const unfinished = countUnfinished(runs, results);
  const note = [
    ...reasons,
    ...(unfinished > 0 ? [`${unfinished} of ${runs.length} runs not finished`] : []),
  ].join('; ');
  const status = reasons.length > 0 ? 'failed' : measured ? 'measured' : 'missing';
  return { measured, paper: null, status, pending: unfinished > 0, note };
}

const titled = (name: string, value: string): string =>
  titleOf(name, value) === value && name.includes('.') ? `${name} ${value}` : titleOf(name, value);

/** The first of two names of columns has a group for each value. */
function groupsOf(keys: readonly string[][], names: readonly string[]): ColumnGroup[] {
  if (names.length < 2) return [{ key: '', title: names[0] ?? '', hasRuns: true }];
  const [name] = names as [string];
  const values = [...new Set(keys.map(([value]) => value as string))];
  return values.map((value) => ({ key: value, title: `${name} ${titleOf(name, value)}`, hasRuns: true }));
}

function columnOf(values: readonly string[], names: readonly string[], metric: string): Column {
  return {
    key: JSON.stringify(values),
    title: names.length === 0 ? metric : titleOf(names.at(-1) as string, values.at(-1) as string),
    group: names.length < 2 ? '' : (values[0] as string),
    labels: Object.fromEntries(names.map((name, i) => [name, values[i] as string])),
  };
}

/** `n = 3`, or from how many to how many; the CSV file has n of every cell. */
function countNote(cells: readonly Cell[]): string[] {
  const counts = cells.flatMap(({ measured }) => measured?.n ?? []);
  if (counts.length === 0) return [];
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const missing = cells.filter(({ measured }) => !measured).length;
  const gaps = missing > 0 ? `; ${missing} of ${cells.length} places have no number` : '';
  return [
    `${least === most ? `n = ${least} in every place` : `n = ${least} to ${most}, as the CSV file has it`}${gaps}.`,
  ];
}
