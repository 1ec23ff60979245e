/** Training images augmented ahead by threads, while the device computes. */

import { answersAhead, Thread, threadsAhead } from '../base/thread.ts';
import type { ImageFormat, ImageSet } from '../data/dataset.ts';
import type { Augmentation } from './augment.ts';
import type { AugmentOrder, AugmentSetup } from './augment-thread.ts';

/** Each thread has its share of the models, so that what is drawn does not depend on how many threads there are. */
export class AugmentLoader {
  private readonly threads: Thread<AugmentSetup, AugmentOrder, Float32Array>[];

  /** For so many models. Its threads live until it is disposed of (`using`). */
  constructor(
    { images, labels }: ImageSet,
    { shape, normalize }: Pick<ImageFormat, 'shape' | 'normalize'>,
    augmentation: Augmentation,
    private readonly models: number,
    threads = threadsAhead,
  ) {
    // One copy for all threads.
    const shared = new Uint8Array(new SharedArrayBuffer(images.length));
    shared.set(images);
    const { crop_padding, flip, rotation } = augmentation;
    const setup: AugmentSetup = {
      set: { images: shared, labels },
      format: { shape, normalize },
      augmentation: { crop_padding, flip, rotation },
    };
    const program = new URL('augment-thread.ts', import.meta.url);
    this.threads = Array.from(
      { length: Math.min(threads, models) },
      () => new Thread(program, 'augments images', setup),
    );
  }

  /**
   * The images [models * B, H, W, C] of each of an epoch's steps, normalised, from every model's batch at that step (numbers of images).
   * While the caller works on one, the next is being made. The caller may look at it until it asks for the next.
   */
  async *epoch(
    epoch: number,
    seeds: readonly number[],
    steps: Iterable<readonly Int32Array[]>,
  ): AsyncGenerator<Float32Array, void, void> {
    let begin = true;
    const images = answersAhead<readonly Int32Array[], Float32Array[]>(steps, 2, (step, spent = []) => {
      const parts = this.threads.map((thread, t) => {
        // A part of an array would be sent with the rest of its memory.
        const batches = this.share(step, t).map((numbers) => numbers.slice());
        const order: AugmentOrder = { batches, spent: spent[t] };
        if (begin) order.begin = { seeds: this.share(seeds, t), epoch };
        return thread.ask(order, spent[t] ? [spent[t].buffer as ArrayBuffer] : []);
      });
      begin = false;
      return Promise.all(parts);
    });
    for await (const parts of images) yield parts.length === 1 ? (parts[0] as Float32Array) : joined(parts);
  }

  [Symbol.dispose](): void {
    for (const thread of this.threads) thread.end();
  }

  /** Of one for each model those of a thread's models, which are next to one another. */
  private share<T>(all: readonly T[], thread: number): T[] {
    const bound = (t: number) => Math.round((t * this.models) / this.threads.length);
    return all.slice(bound(thread), bound(thread + 1));
  }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let start = 0;
  for (const part of parts) {
    all.set(part, start);
    start += part.length;
  }
  return all;
}
