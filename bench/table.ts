/** Results as a table for the terminal. */
import Table from 'cli-table3';
import type { RowResult, Speed } from './result.ts';

const number = (value: number) =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);

function time({ medianMs, lowerQuartileMs, upperQuartileMs, imagesPerSecond }: Speed): string {
  const spread = `${number(medianMs)} (${number(lowerQuartileMs)} to ${number(upperQuartileMs)})`;
  return imagesPerSecond === undefined ? spread : `${spread}, ${Math.round(imagesPerSecond)} images/s`;
}

const rate = ({ gflops, peakShare }: Speed) => `${gflops.toFixed(0)} (${(100 * peakShare).toFixed(0)} %)`;

/** One line for each row with the fastest variant of the other side, and one for each other variant. */
export function drawTable(results: readonly RowResult[]): string {
  const table = new Table({
    head: [
      'work',
      'ratio',
      'wanted',
      'ours, ms',
      'other side',
      'its time, ms',
      'ours, GFLOP/s',
      'its GFLOP/s',
    ],
    style: { head: [], border: [], compact: true },
  });
  for (const { row, device, wanted, reached, ours, others, error } of results) {
    const title = `${row} (${device})`;
    if (!ours) {
      table.push([title, 'failed', number(wanted), { content: error ?? '', colSpan: 5 }]);
      continue;
    }
    for (const [i, { variant, informative, ratio, speed, note }] of others.entries()) {
      const first = i === 0;
      table.push([
        first ? title : '',
        ratio === undefined ? '' : `${number(ratio)}${first && !reached ? ' (missed)' : ''}`,
        first ? number(wanted) : '',
        first ? time(ours) : '',
        informative ? `${variant} (for information)` : variant,
        speed ? time(speed) : (note ?? ''),
        first ? rate(ours) : '',
        speed ? rate(speed) : '',
      ]);
    }
  }
  return table.toString();
}
