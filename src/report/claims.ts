/** The paper's claims in order, on the measured numbers: they can hold at any scale. */
import { formatDifference } from './format.ts';
import type { Cell, Claim, Row } from './table.ts';

/** Holds if the mean of one column's cells is above that of the other's in every row where both were measured. */
export function judgeOrder(text: string, rows: Row[], above: Cell[], below: Cell[], decimals: number): Claim {
  const leads = rows.flatMap(({ key, title }) => {
    const [high, low] = [above, below].map((cells) => cells.find(({ row }) => row === key)?.measured?.mean);
    return high === undefined || low === undefined ? [] : [{ title, lead: high - low }];
  });
  if (leads.length === 0) return { text, holds: null, detail: 'not measured' };
  const held = leads.filter(({ lead }) => lead > 0).length;
  const list = leads.map(({ title, lead }) => `${title} ${formatDifference(lead, decimals)}`).join(', ');
  return { text, holds: held === leads.length, detail: `in ${held} of ${leads.length} rows: ${list}` };
}
