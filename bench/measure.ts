/** Measures one row: both sides in processes that take turns, so that whatever else the machine does slows all of them. */
import { join } from 'node:path';
import { disagreement } from './parity.ts';
import { BenchError, type Row, type Variant } from './row.ts';
import type { RowSet } from './rows/registry.ts';
import { Side } from './side.ts';
import { type Summary, summarize } from './summary.ts';

/** Turns of each side that are not timed. */
const warmUps = 3;

/**
 * Turns after which both sides' values are compared. Rounding grows from step to step of a training: ResNet-18's losses of ours with
 * direct convolutions in the place of Winograd's, or with narrower vectors, differ by 5e-7 after the first step, 1e-6 after the second and
 * 7e-5 after the third. (Winograd's are not the less exact ones: test/tensor/winograd.test.ts.)
 */
const comparedTurns = 2;

/** A variant that takes so many times as long as the fastest one after a first turn is not timed further. */
const slow = 3;

export interface MeasuredVariant extends Variant {
  time?: Summary;
  /** Time of a step in each turn. */
  turnsMs: number[];
  /** Time of a step in the last turn of the warm-up. */
  warmUpMs?: number;
  /** Why it was not timed. */
  note?: string;
}

export interface Measurement {
  ours: { time: Summary; turnsMs: number[] };
  others: MeasuredVariant[];
}

export interface Conditions {
  rounds: number;
  threads: number;
  python: string;
  /** The rows that the row is one of. */
  set: RowSet;
  /** PyTorch's. */
  torchDevice: 'cpu' | 'cuda';
  /** For temporary files. */
  folder: string;
}

/** Measures a row. Throws a BenchError if a side fails, or both do not compute the same. */
export async function measureRow(row: Row, conditions: Conditions): Promise<Measurement> {
  const { rounds, threads, python, folder, set, torchDevice } = conditions;
  const tensors = join(folder, `${row.name}.safetensors`);
  const steps = (warmUps + rounds) * row.stepsPerTurn;
  const { script, config, variants } = row.other;
  const sides: Side[] = [];
  try {
    const ours = await Side.start('our side', [
      ...[process.execPath, join(import.meta.dir, 'ours.ts')],
      ...[set, row.name, tensors, String(threads), String(steps)],
    ]);
    sides.push(ours);
    const other = await Side.start(
      'the other side',
      [
        ...[python, join(import.meta.dir, 'pytorch', script), tensors, String(threads)],
        JSON.stringify({ ...config, device: torchDevice }),
      ],
      {
        OMP_NUM_THREADS: String(threads),
        OPENBLAS_NUM_THREADS: String(threads),
        PYTHONDONTWRITEBYTECODE: '1',
      },
    );
    sides.push(other);

    const turnsMs: number[] = [];
    const others: MeasuredVariant[] = variants.map((variant) => ({ ...variant, turnsMs: [] }));
    for (let round = -warmUps; round < rounds; round++) {
      const turn = await ours.turn({ steps: row.stepsPerTurn });
      if (round >= 0) turnsMs.push(turn.ms);
      for (const variant of others.filter(({ note }) => note === undefined)) {
        try {
          const { ms, values } = await other.turn({ steps: row.stepsPerTurn, variant: variant.name });
          if (round >= 0) variant.turnsMs.push(ms);
          else {
            variant.warmUpMs = ms;
            if (round < comparedTurns - warmUps) expectSame(variant, turn.values, values);
          }
        } catch (error) {
          if (!(error instanceof BenchError && variant.informative)) throw error;
          variant.note = error.message;
        }
      }
      // The first turn prepares, and tells nothing.
      if (round > -warmUps && round < 0) leaveOutSlow(others);
    }
    for (const variant of others) if (variant.note === undefined) variant.time = summarize(variant.turnsMs);
    return { ours: { time: summarize(turnsMs), turnsMs }, others };
  } finally {
    await Promise.all(sides.map((side) => side.end()));
  }
}

/** Throws a BenchError if values differ. */
function expectSame({ name, tolerance }: Variant, ours: readonly number[], others: readonly number[]): void {
  const problem = disagreement(ours, others, tolerance);
  if (problem) throw new BenchError(`the sides do not compute the same (${name}): ${problem}`);
}

function leaveOutSlow(variants: MeasuredVariant[]): void {
  const timeOf = ({ warmUpMs, note }: MeasuredVariant) =>
    note === undefined ? (warmUpMs as number) : Infinity;
  const fastest = Math.min(...variants.filter(({ informative }) => !informative).map(timeOf));
  for (const variant of variants) {
    if (variant.note !== undefined || timeOf(variant) <= slow * fastest) continue;
    variant.note = `${timeOf(variant).toFixed(0)} in the warm-up, more than ${slow} times the fastest`;
  }
}
