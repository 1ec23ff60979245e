/** How a long computation reports its progress. Plain data: it travels between processes as JSON. */
export interface Progress {
  /** Units done of all, e.g. training steps. */
  done: number;
  total: number;
  unit: string;
  /** The number a reader wants to see now, e.g. `{name: 'loss', value: 0.21}`. */
  metric?: { name: string; value: number };
}

export type Report = (progress: Progress) => void;
