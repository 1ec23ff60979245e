/** What a data set is: plain data and a function that loads its images, without tensors. */
import type { Report } from '../base/progress.ts';
import type { Publication } from './files.ts';

/** Images of one split, bytes [n, H, W, C] in rows, and their classes [n]. */
export interface ImageSet {
  images: Uint8Array;
  labels: Uint8Array;
}

/** Where images may come from, and who receives the progress. */
export interface Source {
  /** Folder that is looked in first (--data, EXP_DATA). */
  dataDir: string | undefined;
  /** Folder that downloads are kept in. */
  cacheDir: string;
  report: Report;
}

/** How many images of each split; null: all. */
export interface Wanted {
  train: number | null;
  test: number | null;
  validation?: number | null;
}

/** Networks see (byte / 255 - mean) / std; one of each for every channel. */
export interface Normalization {
  mean: readonly number[];
  std: readonly number[];
}

/** Height, width, channels. */
export type Shape = [height: number, width: number, channels: number];

/** What networks need to know of the images they see. */
export interface ImageFormat {
  /** The data set's. */
  name: string;
  shape: Shape;
  classes: number;
  normalize: Normalization;
}

export interface Dataset extends ImageFormat {
  description: string;
  /** The paper's data sets that this one is shown beside, where the paper does not have it: in each table the first it has. */
  standsFor: readonly string[];
  /** How many images there are, or are drawn where nobody says how many. */
  counts: { train: number; test: number };
  /** Whether the program draws the images, as many as are asked for. */
  drawn?: boolean;
  /** Its files; null where the program draws the images. */
  publication: Publication | null;
  /**
   * All images, in the order of the files, or at least as many as asked for where the program draws them itself. Only there are
   * validation images apart from the training images; `validation` is undefined where none are wanted.
   */
  load(source: Source, wanted: Wanted): Promise<{ train: ImageSet; validation?: ImageSet; test: ImageSet }>;
}

/** Mean and standard deviation of 0.5 in every channel, which scales bytes to -1 to 1. */
export const halves = (channels: number): Normalization => ({
  mean: new Array(channels).fill(0.5),
  std: new Array(channels).fill(0.5),
});
