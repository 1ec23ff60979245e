/** What a report page shows beside tables: read from the artefacts of the runs, which this room does not open itself. Plain data. */

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

export interface Evidence {
  curves: LearningCurve[];
  /** Of the test accuracy, of the first finished run that predicts it; null where none does. */
  predictions: { run: string; points: Prediction[] } | null;
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
