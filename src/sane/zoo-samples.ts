/** The checkpoints of a zoo in their splits: where they are on disk, how they are aligned, and what they are standardised by. */
import type { Report } from '../base/progress.ts';
import type { SaneSettings } from '../experiment/types.ts';
import type { Outline } from '../nets/architecture.ts';
import { type Permutations, permute } from '../nets/permute.ts';
import { type FlatFile, readFlat } from '../zoo/flat-file.ts';
import type { Split } from '../zoo/members.ts';
import type { Checkpoint, Zoo, ZooModel } from '../zoo/zoo.ts';
import { readPermutations } from './alignment.ts';
import { fitStandardization, type Standardization, standardize } from './standardize.ts';
import { flatten, type TokenLayout, unflatten } from './tokenize.ts';

/** One checkpoint of one model. Its numbers stay on disk: a zoo may be larger than memory. */
export interface Sample {
  model: ZooModel;
  checkpoint: Checkpoint;
  /** Weights and buffers in the order of the state. */
  file: FlatFile;
  /** The alignment of its hidden units; empty: none. */
  permutations: Permutations;
}

export type Samples = Record<Split, Sample[]>;

/** Samples, and what they are standardised by; null: by nothing. */
export interface SampleSet {
  samples: readonly Sample[];
  standardization: Standardization | null;
}

/**
 * Finds the checkpoints of these epochs (all kept ones for null), models in the manifest's order, each permuted as the artefact of
 * stage `alignment` in this folder has it; as they are if there is none. Throws if a split is empty, or a file is not as it should be.
 */
export async function findSamples(
  zoo: Zoo,
  epochs: readonly number[] | null,
  alignment: string | undefined,
): Promise<Samples> {
  const wanted = new Set(epochs ?? zoo.manifest.epochs);
  const samples: Samples = { train: [], val: [], test: [] };
  for (const model of zoo.manifest.models) {
    const checkpoints = model.checkpoints.filter(({ epoch }) => wanted.has(epoch));
    if (checkpoints.length === 0) continue;
    const permutations: Permutations = alignment
      ? (await readPermutations(alignment, model.id)).permutations
      : new Map();
    const files = await zoo.locate(
      model,
      checkpoints.map(({ epoch }) => epoch),
    );
    for (const [i, checkpoint] of checkpoints.entries()) {
      samples[model.split].push({ model, checkpoint, file: files[i] as FlatFile, permutations });
    }
  }
  const kept = zoo.manifest.epochs;
  const remedy = kept.some((epoch) => wanted.has(epoch))
    ? 'raise zoo.models, or see whether its models diverged'
    : `the zoo has the epochs ${kept.join(', ')}: set checkpoints, or prompt_epoch, to some of these`;
  for (const [split, list] of Object.entries(samples)) {
    if (list.length > 0) continue;
    throw new Error(
      `zoo ${zoo.dir}: no ${split} model has a checkpoint of the epochs ${[...wanted].join(', ')}; ${remedy}`,
    );
  }
  return samples;
}

/** A sample's flat vector, aligned, not standardised; `into` may give it memory. Throws an error naming the file if it cannot be read. */
export function readSample(
  architecture: Outline,
  { file, permutations }: Pick<Sample, 'file' | 'permutations'>,
  into?: Float32Array,
): Float32Array {
  const flat = readFlat(file, into);
  if (permutations.size === 0) return flat;
  return flatten(architecture, permute(architecture, unflatten(architecture, flat), permutations));
}

/** The flat vectors of samples one after the other, each read when it is asked for, to where the one before was. */
export function* readSamples(
  architecture: Outline,
  samples: readonly Sample[],
  report?: Report,
): Generator<Float32Array> {
  const memory = new Float32Array(samples[0]?.file.numbers ?? 0);
  for (const [i, sample] of samples.entries()) {
    yield readSample(architecture, sample, memory);
    report?.({ done: i + 1, total: samples.length, unit: 'checkpoints' });
  }
}

/** As `readSamples`, standardised. */
export function* readStandardized(
  architecture: Outline,
  layout: TokenLayout,
  { samples, standardization }: SampleSet,
): Generator<Float32Array> {
  for (const flat of readSamples(architecture, samples)) {
    yield standardization ? standardize(layout, flat, standardization) : flat;
  }
}

/**
 * What each split is standardised by. per-layer: all by `fitted`, or if that is missing by the statistics of the training samples.
 * per-split: each by its own, whether something was fitted or not. none: nothing. Only the splits asked for are read, in one pass each.
 */
export function standardizedSets<Name extends Split>(
  mode: SaneSettings['standardization'],
  architecture: Outline,
  layout: TokenLayout,
  samples: Samples,
  splits: readonly Name[],
  { fitted, report }: { fitted?: Standardization | undefined; report?: Report } = {},
): Record<Name, SampleSet> {
  const fit = (split: Split) =>
    fitStandardization(
      layout,
      readSamples(architecture, samples[split], report),
      (i) => samples[split][i]?.file.path as string,
    );
  const shared = mode === 'per-layer' ? (fitted ?? fit('train')) : null;
  return Object.fromEntries(
    splits.map((split): [Name, SampleSet] => [
      split,
      { samples: samples[split], standardization: mode === 'per-split' ? fit(split) : shared },
    ]),
  ) as Record<Name, SampleSet>;
}
