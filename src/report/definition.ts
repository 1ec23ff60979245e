/** What a table of the paper looks like and which runs and records fill it. */
import type { Json } from '../base/json.ts';
import type { Run } from '../experiment/types.ts';
import type { Labels } from './paper.ts';
import type { Best, Condition } from './table.ts';
import type { Departure } from './tables/departures.ts';

/** A column group of the paper's layout: the runs of one data set. */
export interface GroupDefinition {
  /** On which networks are measured. Null: the paper does not say which, and any will do. */
  dataset: string | null;
  /** The data set of SANE's zoo, where it has a part in the table. */
  source?: string;
  title: string;
  /** The part of the paper's column labels that is the group's; by default the data set. */
  labels?: Labels;
}

export interface ColumnDefinition {
  key: string;
  title: string;
  labels: Labels;
  /** Why no run fills the column: it holds the paper's numbers only. */
  paperOnly?: string;
  /** Whether the paper has no such column. */
  beyondPaper?: true;
}

export interface RowDefinition {
  key: string;
  /** One for each heading of the table's stub. */
  titles: readonly string[];
  labels: Labels;
  /** Where it is not the table's. */
  metric?: string;
  /** Whether the paper has no such row. */
  beyondPaper?: true;
  /** Whether none of its numbers is the best of anything. */
  unranked?: true;
  /** How the row's numbers are never under the paper's conditions. */
  condition?: Condition;
}

/** The difference of two columns in every row, or the other way round. */
export interface ContrastDefinition {
  text: string;
  /** Whether `above` and `below` are the keys of two columns or of two rows. */
  of: 'columns' | 'rows';
  above: string;
  below: string;
  /** Keys of the rows or columns in which it is looked at; by default in all. */
  in?: readonly string[];
}

/** A claim of the paper: the number of one column, or row, is above that of another. */
export interface ClaimDefinition extends ContrastDefinition {
  /** How many times as large it is, at least; by default it only has to be larger. */
  times?: number;
  /** Whether it may be below by the table's margin. */
  orEqual?: true;
}

/**
 * One table of the paper, in its layout. A cell holds the paper's number of the row's labels and the labels
 * `{dataset, ...column}`, and is filled by the records whose labels are the row's, the column's and `labels`.
 */
export interface TableDefinition {
  /** Its number in the paper. */
  id: number;
  /** Which runs belong in the table. */
  accepts(run: Run): boolean;
  metric: string;
  labels: Labels;
  /** The labels that a run's record has in this table, null where it has no place in it. By default as they were recorded. */
  relabel?(labels: Labels, run: Run, metric: string): Labels | null;
  /** Settings that rows or columns stand for, in which the runs of one group differ therefore. */
  tableSettings?: readonly string[];
  /** What the paper had here where elsewhere it had something else, by the name of the setting. */
  conditions?: Readonly<Record<string, Json>>;
  /** Where the paper's text and the released code differ in what the numbers depend on. */
  departures?: readonly Departure[];
  /** What records are multiplied by, where the paper prints another unit: 100 for percent. */
  factor: number;
  /** Decimals that the paper prints. */
  decimals: number;
  /** The difference that does not matter, in the table's unit, fixed before a number was compared, and why it is this one. */
  margin: { size: number; reason: string };
  /** Between these an order can be found: what guessing has on the data set of a run, and the most there is. Left out where nothing bounds the numbers. */
  bounds?: { chance(run: Run): number | null; ceiling: number };
  /** Which numbers are the best. */
  best: Best;
  /** Headings of the rows' titles. */
  stub: readonly string[];
  groups: GroupDefinition[];
  columns: ColumnDefinition[];
  rows: RowDefinition[];
  claims: ClaimDefinition[];
  /** Differences that are shown without a claim of the paper. */
  contrasts?: ContrastDefinition[];
  /** Sentences for the caption, of how a run's networks were made; `methods` are those that the table has rows or columns of. */
  caption?(run: Run, methods: ReadonlySet<string>): string[];
}
