/** The program of a thread that draws views of checkpoints on disk. */
import { Random } from '../base/random.ts';
import { serve } from '../base/thread.ts';
import type { Permutations } from '../nets/permute.ts';
import { type FlatFile, gather } from '../zoo/flat-file.ts';
import type { Standardization } from './standardize.ts';
import { buffersOf, drawViews, type TwoViews, type ViewOrigin, type ViewSettings } from './views.ts';

/** Checkpoints, how each is aligned, and what all are standardised by. */
export interface ViewSet {
  samples: readonly { file: FlatFile; permutations: Permutations }[];
  standardization: Standardization | null;
}

/** What is drawn of: sets by name. */
export interface ViewSetup {
  origin: ViewOrigin;
  sets: Record<string, ViewSet>;
}

/** A batch to draw. */
export interface ViewRequest {
  /** Name of the set. */
  set: string;
  /** Numbers of the set's samples. */
  samples: Int32Array;
  settings: ViewSettings;
  /** Seed and name of the stream of random numbers, which decide the batch whichever thread draws it. */
  random: [seed: number, ...name: (string | number)[]];
}

/** `spent`: views whose memory may be used again. */
export interface ViewOrder {
  request: ViewRequest;
  spent: TwoViews | undefined;
}

serve(
  ({ origin, sets }: ViewSetup) =>
    ({ request: { set, samples, settings, random }, spent }: ViewOrder): TwoViews => {
      const { samples: all, standardization } = sets[set] as ViewSet;
      const models = Array.from(samples, (i) => {
        const { file, permutations } = all[i] as (typeof all)[number];
        return {
          name: `${set} ${i}`,
          permutations,
          gather: (places: Int32Array, out: Float32Array) => gather(file, places, out),
        };
      });
      return drawViews(origin, models, standardization, settings, new Random(...random), spent);
    },
  buffersOf,
);
