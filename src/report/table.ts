/** The one table model: what every rendering shows. Plain data; every text is one line. */
import type { Labels } from './paper.ts';
import type { Interval } from './statistics/student.ts';
import type { Level } from './statistics/units.ts';
import type { View } from './view.ts';

/** How a cell stands to the paper's number (the rule is at measureCell); measured: the paper has none. */
export type Status =
  | 'equivalent'
  | 'different'
  | 'inconclusive'
  | 'scaled'
  | 'measured'
  | 'failed'
  | 'missing';

/** Mean and sample standard deviation (n - 1) of n independent results, each the mean of those that are not; sd is null where n is 1. */
export interface Measured {
  mean: number;
  sd: number | null;
  n: number;
  /** What n counts. */
  of: Level;
  /** Test models that the interval is over too; null where it is over the n results only. */
  models: number | null;
  /** Of 95 %; null where nothing says how certain the mean is. */
  interval: Interval | null;
}

/** A number of the paper; sd is null where it has no ±, n where it does not say how many models that is over. */
export interface Published {
  mean: number;
  sd: number | null;
  n: number | null;
}

export interface Cell {
  /** Keys of the cell's row and column. */
  row: string;
  column: string;
  measured: Measured | null;
  paper: Published | null;
  status: Status;
  /** The 90 % interval of ours less the paper's, by which the status is judged; null where it is not, or nothing is known of it. */
  difference: Interval | null;
  /** Whether an experiment has runs for it that are not finished. */
  pending: boolean;
  /** Why it failed, or what is not finished; else empty. */
  note: string;
}

/** Columns side by side under one title, e.g. those of one data set. */
export interface ColumnGroup {
  key: string;
  title: string;
  /** False: only the paper has numbers for it. */
  hasRuns: boolean;
}

export interface Column {
  key: string;
  title: string;
  /** Key of its group. */
  group: string;
  labels: Labels;
}

export interface Row {
  key: string;
  /** One for each heading of the stub. Rows next to each other with the same first of several are one block. */
  titles: readonly string[];
  labels: Labels;
  /** Whether none of its numbers is the best of anything. */
  unranked?: true;
}

/** How the runs are not under the paper's conditions. */
export interface Condition {
  /** By its name in the experiment file, e.g. `zoo.models`. */
  setting: string;
  value: string;
  paper: string;
  /** Title of the column group or row that it is true of; empty: of every one that has runs. */
  where: string;
}

/** Which of several numbers is printed in bold: those of one row and column group, of one column, of one column in a block of rows, or of a block. */
export interface Best {
  among: 'columns' | 'rows' | 'block-rows' | 'block';
  is: 'highest' | 'lowest';
}

/** trivial: at chance, or at the ceiling, there is no order to find. */
export type Verdict = 'holds' | 'fails' | 'inconclusive' | 'trivial';

/** One of the paper's claims in order, and what the measured numbers say of it; null where nothing was measured. */
export interface Claim {
  text: string;
  verdict: Verdict | null;
  detail: string;
}

export interface Table {
  /** Names its files: `table-03`, `sweep-r2`. */
  key: string;
  /** Its number in the paper; null: a pivot, of which the paper has nothing. */
  id: number | null;
  title: string;
  caption: string;
  unit: string;
  /** Decimals that the paper prints; text renderings round to them. */
  decimals: number;
  best: Best | null;
  /** Headings of the rows' titles. */
  stub: readonly string[];
  columnGroups: ColumnGroup[];
  columns: Column[];
  rows: Row[];
  /** One for every row and column. */
  cells: Cell[];
  claims: Claim[];
  notes: string[];
  conditions: Condition[];
  /** How it is asked for to be shown, where nothing else is said. */
  view: View;
}

/** Measured mean less the paper's; null where one of them is missing. */
export function difference({ measured, paper }: Cell): number | null {
  return measured && paper ? measured.mean - paper.mean : null;
}

/** A row's titles in one: `5 SANE_SUB`. */
export const rowTitle = ({ titles }: { titles: readonly string[] }): string =>
  titles.filter(Boolean).join(' ');
