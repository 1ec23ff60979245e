/** A table of anything: a metric over settings and labels, mean and ± over seeds, with the places that have no number. */
import type { Run } from '../experiment/types.ts';
import { countUnfinished, describe, failures, type RunResults, statisticOf } from './measure.ts';
import { describeMetric, titleOf } from './metrics.ts';
import {
  type Attributes,
  attributesOf,
  combinations,
  type Point,
  pick,
  pointsOf,
  varyingNames,
} from './points.ts';
import { countText, spreadNote } from './spread.ts';
import { nameOf } from './statistics/units.ts';
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

interface Place {
  run: Run;
  attributes: Attributes;
}

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
  const chosen = { ...testSplit(all, request), ...request.where };
  const matches = ({ attributes }: { attributes: Attributes }) =>
    Object.entries(chosen).every(
      ([name, values]) => !(name in attributes) || values.includes(attributes[name] ?? ''),
    );
  const points = all.filter(matches);
  const places = runs.map((run) => ({ run, attributes: attributesOf(run) })).filter(matches);
  const blocks = varyingNames(points, [...rows, ...columns]);
  const rowNames = [...blocks, ...rows];

  // Runs without results have their places too, unless rows are of labels, which results alone have.
  const known = points.length > 0 ? points : places;
  const rowKeys = combinations(complete(known, places, rowNames), rowNames);
  const columnKeys = combinations(complete(known, places, columns), columns);
  const names = [...rowNames, ...columns];
  const byPlace = Map.groupBy(points, ({ attributes }) => JSON.stringify(pick(attributes, names)));
  // Runs know their axes and settings, and nothing of labels.
  const ofRuns = names.flatMap((name, i) => (places.some(({ attributes }) => name in attributes) ? [i] : []));
  const runsOf = Map.groupBy(places, ({ attributes }) =>
    JSON.stringify(
      pick(
        attributes,
        ofRuns.map((i) => names[i] as string),
      ),
    ),
  );
  const measured = rowKeys.map((row) => ({
    row,
    cells: columnKeys.map((column): Cell => {
      const values = [...row, ...column];
      const ofPlace = (runsOf.get(JSON.stringify(ofRuns.map((i) => values[i]))) ?? []).map(({ run }) => run);
      const here = byPlace.get(JSON.stringify(values)) ?? [];
      const found = measurePlace(metric, here, ofPlace, results, factor);
      return { row: JSON.stringify(row), column: JSON.stringify(column), ...found };
    }),
  }));
  const blockOf = (row: readonly string[]) =>
    blocks.map((name, i) => titled(name, row[i] as string)).join(', ');
  const constant = request.skipConstant ? constantBlocks(measured, blockOf) : new Set<string>();
  const shown = measured.filter(({ row }) => !constant.has(blockOf(row)));
  const cells = shown.flatMap(({ cells }) => cells);
  const fixed = Object.entries(chosen).filter(([name]) => ![...rowNames, ...columns].includes(name));
  return {
    key,
    id: null,
    title:
      request.title ?? `${title} by ${[...rows, ...columns].join(', ').replace(/, ([^,]*)$/, ' and $1')}`,
    caption: fixed.length > 0 ? `Results of ${fixed.map(describeFixed).join(', ')}.` : '',
    unit,
    decimals,
    best: best && { among: 'block', is: best },
    stub: [...(blocks.length > 0 ? [blocks.join(', ')] : []), ...rows],
    columnGroups: groupsOf(columnKeys, columns),
    columns: columnKeys.map((values) => columnOf(values, columns, title)),
    rows: shown.map(({ row }): Row => {
      const own = rows.map((name, i) => titleOf(name, row[blocks.length + i] as string));
      return {
        key: JSON.stringify(row),
        titles: [...(blocks.length > 0 ? [blockOf(row)] : []), ...own],
        labels: {
          ...labelsOf(fixed),
          ...Object.fromEntries(rowNames.map((name, i) => [name, row[i] as string])),
        },
      };
    }),
    cells,
    claims: [],
    notes: [
      spreadNote,
      ...countNote(cells),
      ...(constant.size > 0 ? [`The same in every cell, and so left out: ${[...constant].join('; ')}.`] : []),
      ...missedNotes(request, all),
    ],
    conditions: [],
    view: {},
  };
}

function testSplit(points: readonly Point[], { rows, columns }: PivotRequest): Record<string, string[]> {
  const isAsked = rows.includes('split') || columns.includes('split');
  return !isAsked && points.some(({ attributes }) => attributes.split === 'test') ? { split: ['test'] } : {};
}

/** What some attributes occur with: in results, and in runs that have all of them. */
function complete(
  known: readonly { attributes: Attributes }[],
  places: readonly Place[],
  names: readonly string[],
): Attributes[] {
  const ofRuns = places.filter(({ attributes }) => names.every((name) => name in attributes));
  return [...ofRuns, ...known].map(({ attributes }) => attributes);
}

function measurePlace(
  metric: string,
  here: readonly Point[],
  runs: readonly Run[],
  results: RunResults,
  factor: number,
): Omit<Cell, 'row' | 'column'> {
  const found = [
    ...new Map(
      here.map(({ found }) => [nameOf(found.path), { ...found, value: factor * found.value }]),
    ).values(),
  ];
  const finite = found.filter(({ value }) => Number.isFinite(value));
  const statistic = statisticOf(metric, finite, results);
  const measured = statistic && describe(statistic);
  const reasons = failures(runs, results);
  if (finite.length < found.length) reasons.push('a result is not a finite number');
  const unfinished = countUnfinished(runs, results);
  const notes = [
    ...reasons,
    ...(unfinished > 0 ? [`${unfinished} of ${runs.length} runs not finished`] : []),
  ];
  const status = reasons.length > 0 ? 'failed' : measured ? 'measured' : 'missing';
  return {
    ...{ measured, paper: null, status, difference: null, pending: unfinished > 0, note: notes.join('; ') },
  };
}

/** Titles of the blocks in which all numbers are the same, unless those are all blocks. */
function constantBlocks(
  measured: readonly { row: string[]; cells: Cell[] }[],
  blockOf: (row: readonly string[]) => string,
): Set<string> {
  const blocks = Map.groupBy(measured, ({ row }) => blockOf(row));
  const constant = [...blocks].filter(([, rows]) => {
    const cells = rows.flatMap(({ cells }) => cells);
    const means = cells.flatMap(({ measured }) => measured?.mean ?? []);
    return means.length > 1 && new Set(means).size === 1 && !cells.some(({ status }) => status === 'failed');
  });
  return new Set(constant.length < blocks.size ? constant.map(([block]) => block) : []);
}

/** A setting's value says little without the setting's name. */
const titled = (name: string, value: string): string =>
  name.includes('.') ? `${name} ${value}` : titleOf(name, value);

const describeFixed = ([name, values]: [string, readonly string[]]): string =>
  `${name} ${values.map((value) => titleOf(name, value)).join(' or ')}`;

const labelsOf = (fixed: readonly [string, readonly string[]][]): Record<string, string> =>
  Object.fromEntries(
    fixed.flatMap(([name, values]) => (values.length === 1 ? [[name, values[0] as string]] : [])),
  );

/** The first of two names of columns has a group for each value. */
function groupsOf(keys: readonly string[][], names: readonly string[]): ColumnGroup[] {
  if (names.length < 2) return [{ key: '', title: names[0] ?? '', hasRuns: true }];
  const values = [...new Set(keys.map(([value]) => value as string))];
  return values.map((value) => ({ key: value, title: titled(names[0] as string, value), hasRuns: true }));
}

function columnOf(values: readonly string[], names: readonly string[], metric: string): Column {
  const [name, value] = [names.at(-1) ?? '', values.at(-1) ?? ''];
  // A second name is said with each of its values, as no heading is over them.
  const title = names.length > 1 ? titled(name, value) : titleOf(name, value);
  return {
    key: JSON.stringify(values),
    title: names.length === 0 ? metric : title,
    group: names.length < 2 ? '' : (values[0] as string),
    labels: Object.fromEntries(names.map((name, i) => [name, values[i] as string])),
  };
}

/** `n = 3 seeds`, or from how many to how many; the CSV file has n of every cell. */
function countNote(cells: readonly Cell[]): string[] {
  const measured = cells.flatMap(({ measured }) => measured ?? []);
  if (measured.length === 0) return [];
  const [least, most] = [Math.min(...measured.map(({ n }) => n)), Math.max(...measured.map(({ n }) => n))];
  const missing = cells.length - measured.length;
  const gaps = missing > 0 ? `; ${missing} of ${cells.length} cells have no number` : '';
  const texts = new Set(measured.map(countText));
  const [first] = texts;
  const many = least === most ? `n = ${least}` : `n = ${least} to ${most}`;
  return [`${texts.size === 1 ? first : `${many}; the CSV file has n of each cell`}${gaps}.`];
}

/** Values asked for that no result has, with those that there are. */
function missedNotes({ where }: PivotRequest, points: readonly Point[]): string[] {
  if (points.length === 0) return [];
  return Object.entries(where).flatMap(([name, values]) => {
    const there = [...new Set(points.flatMap(({ attributes }) => attributes[name] ?? []))];
    const missed = values.filter((value) => !there.includes(value));
    if (missed.length === 0) return [];
    return [
      `No result has ${name} ${missed.join(' or ')}; there ${there.length === 1 ? 'is' : 'are'} ${there.join(', ') || 'none'}.`,
    ];
  });
}
