/** Numbers as the text renderings print them. */
import type { Interval } from './statistics/student.ts';
import type { Measured, Published } from './table.ts';

/** Rounded to `decimals`, never `-0.000`. */
export function formatNumber(value: number, decimals: number): string {
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? text.replace('-', '') : text;
}

/** With its sign, e.g. `+0.013`. */
export function formatDifference(value: number, decimals: number): string {
  const text = formatNumber(value, decimals);
  return Number(text) > 0 ? `+${text}` : text;
}

/** `0.912 ± 0.013`, without ± where there is none; a dash for no number. */
export function formatMean(value: Pick<Published, 'mean' | 'sd'> | null, decimals: number): string {
  if (!value) return '–';
  const mean = formatNumber(value.mean, decimals);
  return value.sd === null ? mean : `${mean} ± ${formatNumber(value.sd, decimals)}`;
}

/** `[0.024, 0.128]`. */
export const formatInterval = (interval: Interval, decimals: number): string =>
  `[${interval.map((end) => formatNumber(end, decimals)).join(', ')}]`;

/** As `formatMean`, with its interval where that is over more than the ± is: `0.943 ± 0.004 [0.912, 0.967]`. */
export function formatMeasured(measured: Measured, decimals: number): string {
  const { models, interval } = measured;
  const ends = models !== null && interval ? [formatInterval(interval, decimals)] : [];
  return [formatMean(measured, decimals), ...ends].join(' ');
}
