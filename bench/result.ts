/** What a measured row says: the ratio, speeds, and whether the ratio that was wanted is reached. */
import type { MeasuredVariant, Measurement } from './measure.ts';
import type { Row } from './row.ts';
import type { Summary } from './summary.ts';

export interface Speed extends Summary {
  gflops: number;
  /** Of the machine's peak. */
  peakShare: number;
  imagesPerSecond?: number;
}

export interface OtherSpeed {
  variant: string;
  informative: boolean;
  /** Its time over ours. */
  ratio?: number;
  speed?: Speed;
  /** Why it has no speed. */
  note?: string;
}

export interface RowResult {
  row: string;
  description: string;
  device: string;
  wanted: number;
  /** The other side's time over ours, medians, by the fastest variant that is not only informative. */
  ratio?: number;
  reached: boolean;
  ours?: Speed;
  /** The fastest first, those that are only informative last. */
  others: OtherSpeed[];
  peakGflops?: number;
  turnsMs?: Record<string, number[]>;
  /** Why there is no result. */
  error?: string;
}

const identity = ({ name, description, device, wanted }: Row) => ({ row: name, description, device, wanted });

/**
 * The result of a row that was measured, on a machine of that float32 peak; `peaks` are those of variants that compute in another
 * precision.
 */
export function resultOf(
  row: Row,
  { ours, others }: Measurement,
  peakGflops: number,
  peaks: Record<string, number> = {},
): RowResult {
  const speed = (time: Summary, peak = peakGflops): Speed => {
    const gflops = row.operations / time.medianMs / 1e6;
    const images = row.images === undefined ? {} : { imagesPerSecond: (1000 * row.images) / time.medianMs };
    return { ...time, gflops, peakShare: gflops / peak, ...images };
  };
  const compare = ({ name, informative = false, time, note }: MeasuredVariant): OtherSpeed => ({
    ...{ variant: name, informative },
    ...(time ? { ratio: time.medianMs / ours.time.medianMs, speed: speed(time, peaks[name]) } : {}),
    ...(note === undefined ? {} : { note }),
  });
  const speeds = others
    .map(compare)
    .toSorted(
      (a, b) =>
        Number(a.informative) - Number(b.informative) || (a.ratio ?? Infinity) - (b.ratio ?? Infinity),
    );
  const ratio = (speeds[0] as OtherSpeed).ratio as number;
  return {
    ...identity(row),
    ...{ ratio, reached: ratio >= row.wanted, ours: speed(ours.time), others: speeds, peakGflops },
    turnsMs: {
      ours: ours.turnsMs,
      ...Object.fromEntries(others.map(({ name, turnsMs }) => [name, turnsMs])),
    },
  };
}

/** The result of a row that failed. */
export function failureOf(row: Row, error: Error): RowResult {
  return { ...identity(row), reached: false, others: [], error: error.message };
}
