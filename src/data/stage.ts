/** Stage `dataset`: brings the images, takes the subset asked for, and keeps both in one file. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../engine/random.ts';
import { openSafetensors, writeSafetensors } from '../engine/safetensors.ts';
import type { StageContext, StageImplementation } from '../engine/stage.ts';
import type { Dataset, ImageSet } from './dataset.ts';
import { getDataset } from './registry.ts';

const fileName = 'images.safetensors';

/** `count` images after a shuffle that depends on nothing but the split's name; all of them, in order, for null. */
function subset(set: ImageSet, count: number | null, split: string, dataset: Dataset): ImageSet {
  const available = set.labels.length;
  if (count === null) return set;
  if (count > available) {
    throw new Error(
      `data.${split}_images asks for ${count} images, ${dataset.name} has ${available}: lower it or leave it out`,
    );
  }
  const size = dataset.shape.reduce((a, b) => a * b, 1);
  const order = new Random(0, 'data', 'subset', split).permutation(available).subarray(0, count);
  const images = new Uint8Array(count * size);
  for (const [to, from] of order.entries())
    images.set(set.images.subarray(from * size, (from + 1) * size), to * size);
  return { images, labels: Uint8Array.from(order, (i) => set.labels[i] as number) };
}

export const datasetStage: StageImplementation = {
  usesDevice: false,
  async execute({ config, dir, dataDir, report }: StageContext): Promise<void> {
    const dataset = getDataset(config.dataset as string);
    const wanted = { train: config.train_images as number | null, test: config.test_images as number | null };
    const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
    const source = { dataDir, cacheDir: join(cache, 'sane-experiments', 'data'), report };
    const all = await dataset.load(source, wanted);
    const tensors = (['train', 'test'] as const).flatMap((split) => {
      const { images, labels } = subset(all[split], wanted[split], split, dataset);
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
    };
  } finally {
    await file.close();
  }
}
