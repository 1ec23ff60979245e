import type { Random } from '../../src/base/random.ts';
import type { Ground } from './ground.ts';

/** One kind of harm, done many times to the program, each time at random. */
export interface Campaign {
  name: string;
  description: string;
  /** Why it cannot be done here; undefined if it can. */
  missing?(): string | undefined;
  /** Whether trials compare with an undisturbed run; they do if this is not given. */
  needsRun?: false;
  /** Prepares a control: something that the campaign has to notice. */
  sabotage?(ground: Ground): void;
  /** Does the harm once. Returns what went wrong; nothing if all is well. With `control` something must be. */
  trial(ground: Ground, random: Random, control: boolean): Promise<string[]>;
}
