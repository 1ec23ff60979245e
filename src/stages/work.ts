/** How large the work of a stage is, in the terms of the stages that it reads. */
import type { Json, JsonObject } from '../base/json.ts';
import type { ZooSettings } from '../experiment/types.ts';

/** These values of a config; null where it has none. */
export const pick = (config: JsonObject, names: readonly string[]): Json[] =>
  names.map((name) => config[name] ?? null);

const length = (value: Json | undefined) => (Array.isArray(value) ? value.length : 1);

/** Models of a zoo's config, and how many checkpoints of each a reader of `used` epochs reads. */
export function population({ models, vary, checkpoints }: JsonObject, used?: Json) {
  let count = models as number;
  for (const name in vary as JsonObject | undefined) count *= length((vary as JsonObject)[name]);
  return { models: count, samples: count * length(used ?? checkpoints) };
}

/** The same of all the zoos among a stage's inputs together. */
export function populations(input: (name: string) => JsonObject, used?: Json) {
  const sum = { models: 0, samples: 0 };
  for (let i = 1; ; i++) {
    const config = input(i === 1 ? 'zoo' : `zoo-${i}`);
    if (i > 1 && Object.keys(config).length === 0) return sum;
    const { models, samples } = population(config, used);
    sum.models += models;
    sum.samples += samples;
  }
}

/** Models of a zoo, one for every seed and combination of what varies. */
export const populationSize = ({ models, vary }: ZooSettings): number =>
  Object.values(vary).reduce((product, values) => product * (values as unknown[]).length, models);

/** The checkpoints of a training that ends after so many epochs: its last epoch stands for the later ones. */
export const upTo = (epochs: number, checkpoints: readonly number[]): number[] =>
  checkpoints.every((epoch) => epoch <= epochs)
    ? [...checkpoints]
    : [...checkpoints.filter((epoch) => epoch < epochs), epochs];

/** What the size of a zoo's networks depends on, beside their images. */
export const networkSettings = ['architecture', 'width'] as const;

/** What the work on a window of SANE depends on. */
export const saneSettings = [
  'token_size',
  'window',
  'd_model',
  'latent_dim',
  'layers',
  'heads',
  'batch_size',
] as const;
