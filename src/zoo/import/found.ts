/** A zoo of other people as it is found in a folder, before its weights are read. */
import type { StateDict } from '../../nets/architecture.ts';
import type { WrittenArchitecture } from '../../nets/written.ts';
import type { Unused } from '../formats/checkpoint.ts';
import type { Hyperparameters, Split } from '../members.ts';
import type { Checkpoint } from '../zoo.ts';

/** An open network: its layers' tensors, and what else was found with them. */
export interface FoundNetwork {
  shapes: ReadonlyMap<string, readonly number[]>;
  unused: readonly Unused[];
  readAll(): Promise<StateDict>;
  close(): Promise<void>;
}

/** What a manifest says of a checkpoint, by its names there. */
export const measuredNames = [
  'train_accuracy',
  'test_accuracy',
  'train_loss',
  'test_loss',
  'running_train_accuracy',
  'running_train_loss',
] as const satisfies (keyof Checkpoint)[];
export type Measured = Record<(typeof measuredNames)[number], number | null>;

export interface FoundCheckpoint {
  /** For messages. */
  path: string;
  epoch: number;
  /** As in a manifest; null where nothing says so. */
  measured: Measured;
  /** Throws a FormatError if the file cannot be read. Close it when done. */
  open(): Promise<FoundNetwork>;
}

export interface FoundModel {
  id: string;
  /** Of its training, where that is known. */
  seed: number | null;
  /** Null: the import decides. */
  split: Split | null;
  /** What is known of its training. */
  hyperparameters: Partial<Hyperparameters>;
  /** Ascending by epoch. */
  checkpoints: FoundCheckpoint[];
}

/** A checkpoint, or a whole training, that was left out, and why. */
export interface Dropped {
  path: string;
  reason: string;
}

/** The reason, with the path in front where it does not name it. */
export const named = ({ path, reason }: Dropped): string =>
  reason.startsWith(path) ? reason : `${path}: ${reason}`;

export interface FoundZoo {
  /** As the folder names them; null where it does not. */
  architecture: string | null;
  /** The layers of the architecture, where the folder says them and the program does not know it. */
  written?: WrittenArchitecture;
  dataset: string | null;
  /** In the order of their names, whatever the file system's is. */
  models: FoundModel[];
  dropped: Dropped[];
}

/** Names in the order that people sort them: model-2 before model-10, and the same on every machine. */
export const byName = (a: string, b: string): number => collator.compare(a, b) || (a < b ? -1 : 1);
const collator = new Intl.Collator('en', { numeric: true });

/** A number from a JSON file of another program, or null. */
export const numberOrNull = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;

/** A dict from a JSON file of another program; empty for anything else. */
export const dictOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
