/** The one table model: what every rendering shows. Plain data; every text is one line. */

/** How a cell stands to the paper's number (the rule is at measureCell). */
export type Status = 'reproduced' | 'differs' | 'scaled' | 'failed' | 'missing';

/** Mean and sample standard deviation (n - 1) of n results; sd is null where n is 1. */
export interface Measured {
  mean: number;
  sd: number | null;
  n: number;
}

/** A number of the paper; sd is null where it has no ±. */
export interface Published {
  mean: number;
  sd: number | null;
}

export interface Cell {
  /** Keys of the cell's row and column. */
  row: string;
  column: string;
  measured: Measured | null;
  paper: Published | null;
  status: Status;
  /** What was scaled, why it failed, or why there is no number; else empty. */
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
}

export interface Row {
  key: string;
  title: string;
}

/** One of the paper's claims in order, and whether the measured numbers bear it out; null where they cannot say. */
export interface Claim {
  text: string;
  holds: boolean | null;
  detail: string;
}

export interface Table {
  /** Its number in the paper. */
  id: number;
  title: string;
  caption: string;
  unit: string;
  /** Decimals that the paper prints; text renderings round to them. */
  decimals: number;
  columnGroups: ColumnGroup[];
  columns: Column[];
  rows: Row[];
  /** One for every row and column. */
  cells: Cell[];
  claims: Claim[];
  notes: string[];
}

/** Measured mean less the paper's; null where one of them is missing. */
export function difference({ measured, paper }: Cell): number | null {
  return measured && paper ? measured.mean - paper.mean : null;
}
