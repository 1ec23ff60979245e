/** How a table is shown. */
import type { Layout } from '../experiment/tables-schema.ts';

/** What is not said is as the table has it, and else side by side without what has no run. */
export interface View {
  layout?: Layout;
  /** Whether rows and columns of the paper's table that have no run are shown too, in grey. */
  all?: boolean;
}
