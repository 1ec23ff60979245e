/** The images of a data set as stage `dataset` keeps them: both splits, prepared, in one file. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { openSafetensors } from '../base/safetensors.ts';
import type { ImageFormat, ImageSet, Normalization, Shape } from './dataset.ts';
import { getDataset } from './registry.ts';

/** The file in the artefact's folder. */
export const imagesName = 'images.safetensors';

/** Where downloads are kept. */
export function cacheFolder(): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(cache, 'sane-experiments', 'data');
}

/** The images of a finished dataset stage, with what networks need to know of them. */
export interface Images {
  dataset: ImageFormat;
  train: ImageSet;
  test: ImageSet;
  /** Only where asked for. */
  validation?: ImageSet;
}

/** Reads the artefact of stage `dataset` in folder `dir`. */
export async function loadImages(dir: string): Promise<Images> {
  const file = await openSafetensors(join(dir, imagesName));
  try {
    const bytes = async (name: string) => (await file.read(name)) as Uint8Array;
    const split = async (name: string) => ({
      images: await bytes(`${name}.images`),
      labels: await bytes(`${name}.labels`),
    });
    const { dataset: name = '', classes, normalize } = file.metadata;
    const shape = file.info('train.images').shape.slice(1) as Shape;
    return {
      // Earlier artefacts are of the program's data sets, and have these' own.
      dataset: {
        name,
        shape,
        classes: classes === undefined ? getDataset(name).classes : Number(classes),
        normalize:
          normalize === undefined ? getDataset(name).normalize : (file.json('normalize') as Normalization),
      },
      train: await split('train'),
      test: await split('test'),
      ...(file.names.includes('validation.images') && { validation: await split('validation') }),
    };
  } finally {
    await file.close();
  }
}
