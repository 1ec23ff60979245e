/** The program of a thread that draws views of checkpoints on disk. */
import { Random } from '../base/random.ts';
import { serve } from '../base/thread.ts';
import type { Permutations } from '../nets/permute.ts';
import { type FlatFile, gather } from '../zoo/flat-file.ts';
import {
  buffersOf,
  drawViews,
  type TwoViews,
  type ViewKind,
  type ViewOrigin,
  type ViewSettings,
} from './views.ts';

/** Checkpoints, how each is aligned, and what all are standardised by. */
export interface ViewSet extends Pick<ViewKind, 'standardization'> {
  samples: readonly { file: FlatFile; permutations: Permutations }[];
}

/** A zoo that is drawn of: sets by name. */
export interface ViewZoo {
  origin: ViewOrigin;
  sets: Readonly<Record<string, ViewSet>>;
}

/** A batch to draw. */
export interface ViewRequest {
  /** Name of the set. */
  set: string;
  /** Numbers of the set's samples, those of one zoo after those of the other. */
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

serve((zoos: readonly ViewZoo[]) => {
  /** A set's samples of all zoos, each with its zoo's kind. */
  const samplesOf = (set: string) =>
    zoos.flatMap(({ origin, sets }) => {
      const { samples = [], standardization = null } = sets[set] ?? {};
      return samples.map((sample) => ({ ...sample, origin, standardization }));
    });
  const known = new Map<string, ReturnType<typeof samplesOf>>();
  return ({ request: { set, samples, settings, random }, spent }: ViewOrder): TwoViews => {
    const all = known.get(set) ?? samplesOf(set);
    known.set(set, all);
    const models = Array.from(samples, (i) => {
      const { file, ...sample } = all[i] as (typeof all)[number];
      return {
        ...sample,
        name: `${set} ${i}`,
        gather: (places: Int32Array, out: Float32Array) => gather(file, places, out),
      };
    });
    return drawViews(models, settings, new Random(...random), spent);
  };
}, buffersOf);
