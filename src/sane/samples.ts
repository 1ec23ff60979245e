/** The checkpoints of a zoo as flat vectors of their whole state, in their splits, standardised. */
import type { SaneSettings } from '../experiment/types.ts';
import { permute } from '../nets/permute.ts';
import type { Split } from '../zoo/members.ts';
import type { Checkpoint, Zoo, ZooModel } from '../zoo/zoo.ts';
import { readPermutations } from './alignment.ts';
import { fitStandardization, type Standardization, standardize } from './standardize.ts';
import { flatten, type TokenLayout } from './tokenize.ts';

/** One checkpoint of one model. */
export interface Sample {
  model: ZooModel;
  checkpoint: Checkpoint;
  /** Weights and buffers in the order of the state. */
  flat: Float32Array;
}

export type Samples = Record<Split, Sample[]>;

/**
 * Reads the checkpoints of these epochs (all kept ones for null), models in the manifest's order, each permuted as the artefact of
 * stage `alignment` in this folder has it; as they are if there is none. Throws if a split is empty.
 */
export async function loadSamples(
  zoo: Zoo,
  epochs: readonly number[] | null,
  alignment: string | undefined,
): Promise<Samples> {
  const wanted = new Set(epochs ?? zoo.manifest.epochs);
  const samples: Samples = { train: [], val: [], test: [] };
  for (const model of zoo.manifest.models) {
    const checkpoints = model.checkpoints.filter(({ epoch }) => wanted.has(epoch));
    if (checkpoints.length === 0) continue;
    const aligned = alignment ? (await readPermutations(alignment, model.id)).permutations : new Map();
    for (const checkpoint of checkpoints) {
      const weights = await zoo.weights(model, checkpoint.epoch);
      const flat = flatten(zoo.architecture, permute(zoo.architecture, weights, aligned));
      samples[model.split].push({ model, checkpoint, flat });
    }
  }
  for (const [split, list] of Object.entries(samples)) {
    if (list.length > 0) continue;
    throw new Error(
      `zoo ${zoo.dir}: no ${split} model has a checkpoint of the epochs ${[...wanted].join(', ')}; raise zoo.models, or see whether its models diverged`,
    );
  }
  return samples;
}

/**
 * Standardises samples. per-layer: every split by `fitted`, or if that is missing by the statistics of the training samples.
 * per-split: each split by its own. none: as they are. Returns new samples and the training statistics used.
 */
export function standardizeSamples(
  mode: SaneSettings['standardization'],
  layout: TokenLayout,
  samples: Samples,
  fitted?: Standardization,
): { samples: Samples; standardization: Standardization | null } {
  if (mode === 'none') return { samples, standardization: null };
  const fit = (split: Split) =>
    fitStandardization(
      layout,
      samples[split].map(({ flat }) => flat),
    );
  const perSplit = mode === 'per-split';
  const train = perSplit ? fit('train') : (fitted ?? fit('train'));
  const apply = (split: Split) => {
    const statistics = perSplit && split !== 'train' ? fit(split) : train;
    return samples[split].map((sample) => ({
      ...sample,
      flat: standardize(layout, sample.flat, statistics),
    }));
  };
  return {
    samples: { train: apply('train'), val: apply('val'), test: apply('test') },
    standardization: train,
  };
}
