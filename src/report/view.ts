/** How a table is shown. */

export const layouts = ['side-by-side', 'ours', 'difference'] as const;

/** Ours and the paper's number side by side; ours alone; ours less the paper's. */
export type Layout = (typeof layouts)[number];

/** What is not said is as the table has it, and else side by side without what has no run. */
export interface View {
  layout?: Layout;
  /** Whether rows and columns of the paper's table that have no run are shown too, in grey. */
  all?: boolean;
}
