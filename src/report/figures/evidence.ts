/** What figures and the report page show beside tables: read from the artefacts of the runs, which this room does not open itself. Plain data. */
import type { Layer } from './features.ts';

/** Losses of one SANE by epoch of its pretraining. */
export interface LearningCurve {
  /** The first run that uses it. */
  run: string;
  epochs: { epoch: number; training: number; validation: number }[];
}

/** One test model at one checkpoint, accuracies as fractions. */
export interface Prediction {
  feature: string;
  actual: number;
  predicted: number;
}

/** Mean embeddings of the test models at their checkpoints, by their two first principal components. */
export interface EmbeddingMap {
  /** The run whose SANE it is. */
  run: string;
  /** Of the variance, by component. */
  shares: number[];
  /** Accuracies are fractions. */
  points: { x: number; y: number; accuracy: number }[];
}

/** What a run of task `analysis` found. */
export interface Analysis {
  /** What it is of, among others. */
  title: string;
  /** Checkpoints of test models, accuracies as fractions. */
  networks: { accuracy: number; layers: Layer[] }[];
  /** One layer in full; null where no layer has a spectrum. */
  example: {
    layer: string;
    /** Ascending. */
    eigenvalues: number[];
    /** Pairs of token embeddings by their distance, in equal parts from 0 to `largest`. */
    distances: { largest: number; counts: number[] };
  } | null;
}

export interface Evidence {
  curves: LearningCurve[];
  /** Of the test accuracy, of the first finished run that predicts it; null where none does. */
  predictions: { run: string; points: Prediction[] } | null;
  /** Of the first finished run that embeds models to predict from them; null where none does. */
  embeddings: EmbeddingMap | null;
  /** Of each group of runs that differ in their seed only, that of the first. */
  analyses: Analysis[];
  /** What finished stages took, added up over their jobs, and the bytes they keep. */
  seconds: number;
  bytes: number;
  /** Machines and devices that computed, each once. */
  machines: string[];
  /** Of this program; null where it is not in a git repository. */
  commit: string | null;
  /** How the page is made again. */
  command: string;
}
