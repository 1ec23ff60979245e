/** A thread that draws views of checkpoints on disk, as it is asked to. It loads no tensor code: native code crashes where a thread ends. */
import { Random } from '../engine/random.ts';
import type { Permutations } from '../nets/permute.ts';
import { type FlatFile, gather } from '../zoo/flat-file.ts';
import type { Standardization } from './standardize.ts';
import { buffersOf, drawViews, type TwoViews, type ViewOrigin, type ViewSettings } from './views.ts';

/** Checkpoints, how each is aligned, and what all are standardised by. */
export interface ViewSet {
  samples: readonly { file: FlatFile; permutations: Permutations }[];
  standardization: Standardization | null;
}

/** What is drawn of: sets by name. The first message. */
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

/** Every message but the first. `spent`: views whose memory may be used again. */
export interface ViewOrder {
  request: ViewRequest;
  spent: TwoViews | undefined;
}

/** The answer to a request; answers come in the order of the requests. */
export type ViewAnswer = { views: TwoViews } | { failure: { message: string; syscall?: string } };

declare const self: Worker;

let setup: ViewSetup | undefined;

function answer({ request: { set, samples, settings, random }, spent }: ViewOrder): TwoViews {
  const { origin, sets } = setup as ViewSetup;
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
}

self.onmessage = ({ data }: MessageEvent<ViewSetup | ViewOrder>) => {
  if ('origin' in data) {
    setup = data;
    return;
  }
  try {
    const views = answer(data);
    self.postMessage({ views } satisfies ViewAnswer, buffersOf(views));
  } catch (error) {
    const { message, syscall } = error as NodeJS.ErrnoException;
    const failure = { message, ...(syscall === undefined ? {} : { syscall }) };
    self.postMessage({ failure } satisfies ViewAnswer);
  }
};
