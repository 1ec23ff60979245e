/** What a data set is: plain data and a function that brings its images, without tensors. */
import type { Report } from '../engine/progress.ts';

/** Images of one split, bytes [n, H, W, C] in rows, and their classes [n]. */
export interface ImageSet {
  images: Uint8Array;
  labels: Uint8Array;
}

/** Where images may come from and how the work is told. */
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

export interface Dataset {
  name: string;
  description: string;
  /** The paper's data sets that this one is shown beside, where the paper does not have it: in each table the first it has. */
  standsFor: readonly string[];
  /** Height, width, channels. */
  shape: [number, number, number];
  classes: number;
  /** Networks see (byte / 255 - mean) / std. */
  normalize: { mean: number; std: number };
  /**
   * All images, or at least as many as asked for where the program draws them itself. Only there are validation images apart
   * from the training images; `validation` is undefined where none are wanted.
   */
  load(source: Source, wanted: Wanted): Promise<{ train: ImageSet; validation?: ImageSet; test: ImageSet }>;
}
