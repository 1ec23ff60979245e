/** The paper's claims in order, on the measured numbers: they can hold at any scale. */
import type { OrderDefinition } from './definition.ts';
import { formatDifference } from './format.ts';
import type { Cell, Claim } from './table.ts';

/** Two cells that a claim compares; undefined or without a number where nothing was measured. */
export interface Pair {
  title: string;
  above: Cell | undefined;
  below: Cell | undefined;
}

/** Holds if the mean of `above` is above that of `below` (or equal, if that will do) in every pair where both were measured. */
export function judgeOrder(
  text: string,
  pairs: Pair[],
  { of, orEqual }: OrderDefinition,
  decimals: number,
): Claim {
  const leads = pairs.flatMap(({ title, above, below }) => {
    const [high, low] = [above?.measured?.mean, below?.measured?.mean];
    return high === undefined || low === undefined ? [] : [{ title, lead: high - low }];
  });
  if (leads.length === 0) return { text, holds: null, detail: 'not measured' };
  const held = leads.filter(({ lead }) => lead > 0 || (orEqual && lead === 0)).length;
  const list = leads.map(({ title, lead }) => `${title} ${formatDifference(lead, decimals)}`).join(', ');
  const across = of === 'columns' ? 'rows' : 'columns';
  return { text, holds: held === leads.length, detail: `in ${held} of ${leads.length} ${across}: ${list}` };
}
