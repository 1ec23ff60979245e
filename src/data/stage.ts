/** Stage `dataset`: brings the images, takes the subset asked for, and keeps both in one file. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../engine/random.ts';
import { openSafetensors, writeSafetensors } from '../engine/safetensors.ts';
import type { StageContext, StageImplementation } from '../engine/stage.ts';
import type { Dataset, ImageSet, Wanted } from './dataset.ts';
import { getDataset } from './registry.ts';

const fileName = 'images.safetensors';

/**
 * `count` images after a shuffle that depends on nothing but the split's name; all of them, in order, for null. And the rest,
 * likewise shuffled.
 */
function subset(
  set: ImageSet,
  count: number | null,
  split: string,
  dataset: Dataset,
): { chosen: ImageSet; rest: ImageSet } {
  const available = set.labels.length;
  if (count === null) return { chosen: set, rest: pick(set, new Int32Array(0), dataset) };
  if (count > available) {
    throw new Error(
      `data.${split}_images asks for ${count} images, ${dataset.name} has ${available}: lower it or leave it out`,
    );
  }
  const order = new Random(0, 'data', 'subset', split).permutation(available);
  return {
    chosen: pick(set, order.subarray(0, count), dataset),
    rest: pick(set, order.subarray(count), dataset),
  };
}

/** The images of these numbers, in this order. */
function pick(set: ImageSet, numbers: Int32Array, dataset: Dataset): ImageSet {
  const size = dataset.shape.reduce((a, b) => a * b, 1);
  const images = new Uint8Array(numbers.length * size);
  for (const [to, from] of numbers.entries())
    images.set(set.images.subarray(from * size, (from + 1) * size), to * size);
  return { images, labels: Uint8Array.from(numbers, (i) => set.labels[i] as number) };
}

/** `count` validation images, all for null: those that the data set has apart, or what the training images leave over. */
function validationOf(left: ImageSet, count: number | null, dataset: Dataset): ImageSet {
  const available = left.labels.length;
  if (available < (count ?? 1)) {
    throw new Error(
      `generation.validation_images asks for ${count ?? 'what data.train_images leaves over'}, which is ${available} of the images of ${dataset.name}: lower data.train_images, or set it to 0 to choose candidates by the training images`,
    );
  }
  return pick(
    left,
    Int32Array.from({ length: count ?? available }, (_, i) => i),
    dataset,
  );
}

export const datasetStage: StageImplementation = {
  usesDevice: false,
  async execute({ config, dir, dataDir, report }: StageContext): Promise<void> {
    const dataset = getDataset(config.dataset as string);
    const validation = config.validation_images as number | null | undefined;
    const wanted: Wanted = {
      train: config.train_images as number | null,
      test: config.test_images as number | null,
      ...(validation !== undefined && { validation }),
    };
    const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
    const source = { dataDir, cacheDir: join(cache, 'sane-experiments', 'data'), report };
    const all = await dataset.load(source, wanted);
    const train = subset(all.train, wanted.train, 'train', dataset);
    const splits: Record<string, ImageSet> = {
      train: train.chosen,
      test: subset(all.test, wanted.test, 'test', dataset).chosen,
    };
    if (validation !== undefined) {
      splits.validation = validationOf(all.validation ?? train.rest, validation, dataset);
    }
    const tensors = Object.entries(splits).flatMap(([split, { images, labels }]) => {
      return [
        { name: `${split}.images`, shape: [labels.length, ...dataset.shape], data: images },
        { name: `${split}.labels`, shape: [labels.length], data: labels },
      ];
    });
    await writeSafetensors(join(dir, fileName), tensors, { dataset: dataset.name });
  },
};

/** The images of a finished dataset stage, with the data set they are of. */
export interface Images {
  dataset: Dataset;
  train: ImageSet;
  test: ImageSet;
  /** Only where asked for. */
  validation?: ImageSet;
}

/** Reads the artefact of stage `dataset` in folder `dir`. */
export async function loadImages(dir: string): Promise<Images> {
  const file = await openSafetensors(join(dir, fileName));
  try {
    const bytes = async (name: string) => (await file.read(name)) as Uint8Array;
    const split = async (name: string) => ({
      images: await bytes(`${name}.images`),
      labels: await bytes(`${name}.labels`),
    });
    return {
      dataset: getDataset(file.metadata.dataset as string),
      train: await split('train'),
      test: await split('test'),
      ...(file.names.includes('validation.images') && { validation: await split('validation') }),
    };
  } finally {
    await file.close();
  }
}
