/** Features of networks that no SANE has a part in, a row for each checkpoint. */
import type { SaneSettings } from '../../experiment/types.ts';
import { standardize } from '../../sane/standardize.ts';
import { tokenLayout } from '../../sane/tokenize.ts';
import {
  readSample,
  readStandardized,
  type SampleSet,
  type Samples,
  standardizedSets,
} from '../../sane/zoo-samples.ts';
import type { Split } from '../../zoo/members.ts';
import type { Zoo } from '../../zoo/zoo.ts';
import { type Rows, rowsOf } from '../property-prediction/gram.ts';
import { weightStatistics } from './statistics.ts';

/** How weights are read. */
export interface Reading {
  batch_norm_tokens: boolean;
  standardization: SaneSettings['standardization'];
}

const everySplit = ['train', 'val', 'test'] as const;

const ofEach = (rows: (split: Split) => Rows): Record<Split, Rows> => ({
  train: rows('train'),
  val: rows('val'),
  test: rows('test'),
});

/** W: all weights, standardised; read from disk whenever they are asked for, because a zoo may be larger than memory. */
export function weightFeatures(
  { architecture }: Zoo,
  samples: Samples,
  reading: Reading,
): Record<Split, Rows> {
  // Tokens of one number have no padding, whose zeros would change no prediction.
  const layout = tokenLayout(architecture, 1, reading.batch_norm_tokens);
  const { source } = layout;
  const sets = standardizedSets(reading.standardization, architecture, layout, samples, everySplit);
  const flat = new Float32Array(layout.numbers);
  const row = new Float32Array(source.length);
  return ofEach((split) => {
    const { samples, standardization }: SampleSet = sets[split];
    return {
      ...{ count: samples.length, width: row.length },
      read(i) {
        const read = readSample(architecture, samples[i] as Samples[Split][number], flat);
        const numbers = standardization ? standardize(layout, read, standardization) : read;
        for (let j = 0; j < row.length; j++) row[j] = numbers[source[j] as number] as number;
        return row;
      },
    };
  });
}

/** s(W): seven statistics per layer of the standardised weights; with a token size, padding zeros are counted too. */
export function statisticsFeatures(
  { architecture }: Zoo,
  samples: Samples,
  reading: Reading,
  paddedTo: number | undefined,
): Record<Split, Rows> {
  const layout = tokenLayout(architecture, paddedTo ?? 1, reading.batch_norm_tokens);
  const sets = standardizedSets(reading.standardization, architecture, layout, samples, everySplit);
  return ofEach((split) =>
    rowsOf(
      Array.from(readStandardized(architecture, layout, sets[split]), (flat) =>
        weightStatistics(layout, flat, paddedTo !== undefined),
      ),
    ),
  );
}
