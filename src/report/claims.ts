/** The paper's claims in order, on the measured numbers: they can hold at any scale. */
import type { ClaimDefinition } from './definition.ts';
import { formatDifference } from './format.ts';
import type { Cell, Claim } from './table.ts';

/** Two cells that a claim compares; undefined or without a number where nothing was measured. */
export interface Pair {
  title: string;
  above: Cell | undefined;
  below: Cell | undefined;
}

/** Holds if the mean of `above` is above that of `below` (or so many times as large, or equal, if that will do) in every pair where both were measured. */
export function judgeOrder(
  text: string,
  pairs: Pair[],
  { of, orEqual, times = 1 }: ClaimDefinition,
  decimals: number,
): Claim {
  const leads = pairs.flatMap(({ title, above, below }) => {
    const [high, low] = [above?.measured?.mean, below?.measured?.mean];
    if (high === undefined || low === undefined) return [];
    const size = times === 1 ? formatDifference(high - low, decimals) : `${(high / low).toFixed(2)} times`;
    const lead = high - times * low;
    return [{ holds: lead > 0 || (orEqual === true && lead === 0), title, size }];
  });
  if (leads.length === 0) return { text, holds: null, detail: 'not measured' };
  const [first] = leads;
  // Where there is one place to look at, the claim is about nothing else.
  if (pairs.length === 1 && first) return { text, holds: first.holds, detail: first.size };
  const held = leads.filter(({ holds }) => holds).length;
  const list = leads.map(({ title, size }) => `${title} ${size}`).join(', ');
  const counted = of === 'columns' ? 'rows' : 'columns';
  return { text, holds: held === leads.length, detail: `in ${held} of ${leads.length} ${counted}: ${list}` };
}
