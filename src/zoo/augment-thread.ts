/** The program of a thread that augments training images. */

import { Random } from '../base/random.ts';
import { sizeOf } from '../base/shape.ts';
import { serve } from '../base/thread.ts';
import type { ImageFormat, ImageSet } from '../data/dataset.ts';
import { type Augmentation, augmentBatch } from './augment.ts';

export interface AugmentSetup {
  set: ImageSet;
  format: Pick<ImageFormat, 'shape' | 'normalize'>;
  augmentation: Augmentation;
}

/** The next batch of an epoch. */
export interface AugmentOrder {
  /** At an epoch's first batch: each model's seed, and the epoch; its streams of random numbers begin. */
  begin?: { seeds: readonly number[]; epoch: number };
  /** Numbers of the images in each model's batch. */
  batches: readonly Int32Array[];
  /** Memory that may be used again. */
  spent: Float32Array | undefined;
}

serve(
  ({ set, format, augmentation }: AugmentSetup) => {
    const size = sizeOf(format.shape);
    let streams: Random[] = [];
    return ({ begin, batches, spent }: AugmentOrder): Float32Array => {
      if (begin) streams = begin.seeds.map((seed) => new Random(seed, 'zoo', 'augmentation', begin.epoch));
      const count = batches.reduce((sum, numbers) => sum + numbers.length, 0);
      const pixels = spent?.length === count * size ? spent : new Float32Array(count * size);
      let start = 0;
      for (const [m, numbers] of batches.entries()) {
        const out = pixels.subarray(start, start + numbers.length * size);
        augmentBatch(set, format, numbers, augmentation, streams[m] as Random, out);
        start += numbers.length * size;
      }
      return pixels;
    };
  },
  ({ buffer }) => [buffer as ArrayBuffer],
);
