/**
 * The authors' `dataset_normalization_*.json`: statistics of each layer, by the name of its weight, and their `mode`. Every mode is an affine
 * map, and so becomes a mean and a standard deviation. The standardisation of a SANE artefact is read too.
 */

import { FormatError } from '../base/source.ts';
import { readJson } from '../zoo/formats/json.ts';
import type { Standardization } from './standardize.ts';

/** Reads a file of statistics. Throws a FormatError that names the file and the layer with something wrong. */
export async function readNormalization(path: string): Promise<Standardization> {
  const value = await readJson(path);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new FormatError(`${path}: expected an object with the mean and std of each layer`);
  }
  const result: Standardization = {};
  for (const [name, entry] of Object.entries(value)) {
    if (name === 'mode') continue;
    const map = affine((entry ?? {}) as Record<string, unknown>, isRunning(name));
    if (!map || !Number.isFinite(map.mean) || !(map.sd > 0 && map.sd < Number.POSITIVE_INFINITY)) {
      throw new FormatError(
        `${path}: layer ${name} has neither a mean and a positive std nor a min and a larger max`,
      );
    }
    result[name] = map;
  }
  return result;
}

/** The map that a layer's entry means, or undefined if it means none. */
function affine(
  { mean, sd, std, min, max }: Record<string, unknown>,
  running: boolean,
): Standardization[string] | undefined {
  const number = (value: unknown): value is number => typeof value === 'number';
  if (number(mean) && number(sd)) return { mean, sd };
  if (number(mean) && number(std)) return running ? twice({ mean, sd: std }) : { mean, sd: std };
  // The range becomes -1 to 1.
  if (number(min) && number(max)) return { mean: (min + max) / 2, sd: (max - min) / 2 };
  return undefined;
}

const isRunning = (name: string) => /\.running_(mean|var)$/.test(name);

/** The released code applies the statistics of batch norm's running values twice: ((x - mean) / sd - mean) / sd. */
const twice = ({ mean, sd }: { mean: number; sd: number }) => ({ mean: mean + sd * mean, sd: sd * sd });
