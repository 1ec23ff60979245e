/** The paper's claims in order, on the measured numbers: they can hold at any scale. */
import type { ClaimDefinition } from './definition.ts';
import { formatDifference, formatInterval } from './format.ts';
import { type Contrast, contrast, type Statistic } from './statistics/statistic.ts';
import { meanOf } from './statistics/units.ts';
import type { Claim, Verdict } from './table.ts';

/** Two numbers that a claim compares; null where nothing was measured. */
export interface Pair {
  title: string;
  above: Statistic | null;
  below: Statistic | null;
}

/** What an order is judged by, in the table's unit. */
export interface Scale {
  decimals: number;
  /** The difference that does not matter. */
  margin: number;
  /** What guessing has, and the most there is; null where nothing bounds the numbers on that side. */
  chance: number | null;
  ceiling: number | null;
}

interface Judged {
  title: string;
  verdict: Verdict;
  size: string;
}

/**
 * Holds where it does in every pair that was measured, fails where it fails in one, and else is inconclusive. Pairs without an
 * order to find, at chance or at the ceiling, do not count; a claim of these alone is trivial.
 */
export function judgeOrder(
  text: string,
  pairs: readonly Pair[],
  order: ClaimDefinition,
  scale: Scale,
): Claim {
  const judged = pairs.flatMap(({ title, above, below }): Judged[] =>
    above && below ? [{ title, ...judgePair(above, below, order, scale) }] : [],
  );
  const [first] = judged;
  if (!first) return { text, verdict: null, detail: 'not measured' };
  const counted = judged.filter(({ verdict }) => verdict !== 'trivial');
  const verdicts = counted.map(({ verdict }) => verdict);
  const verdict =
    counted.length === 0
      ? 'trivial'
      : (['fails', 'inconclusive', 'holds'] as const).find((one) => verdicts.includes(one));
  // Where there is one place to look at, the claim is about nothing else.
  const detail =
    pairs.length === 1
      ? first.size
      : judged.map(({ title, verdict, size }) => `${title} ${size} ${verdict}`).join(', ');
  return { text, verdict: verdict as Verdict, detail };
}

function judgePair(
  above: Statistic,
  below: Statistic,
  { orEqual, times = 1 }: ClaimDefinition,
  { decimals, margin, chance, ceiling }: Scale,
): Omit<Judged, 'title'> {
  const means = [above, below].map(({ units }) => meanOf([...units.values.values()])) as [number, number];
  const found = contrast(above, below, times);
  const size =
    times === 1
      ? describeContrast(found, decimals)
      : `${(means[0] / means[1]).toFixed(2)} times; less ${times} times ${describeContrast(found, decimals)}`;
  const isAtChance = chance !== null && means.every((mean) => mean <= chance + margin);
  const isAtCeiling = ceiling !== null && means.every((mean) => mean >= ceiling - margin);
  if (isAtChance || isAtCeiling) return { verdict: 'trivial', size };
  if (!found.interval) return { verdict: 'inconclusive', size };
  const [low, high] = found.interval;
  const least = orEqual ? -margin : 0;
  return { verdict: low > least ? 'holds' : high < least ? 'fails' : 'inconclusive', size };
}

/** `+0.072 [0.024, 0.128]`. */
export const describeContrast = ({ value, interval }: Contrast, decimals: number): string =>
  [formatDifference(value, decimals), ...(interval ? [formatInterval(interval, decimals)] : [])].join(' ');
