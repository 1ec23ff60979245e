/** The ways to get initial networks (section 5.2): trained prompts, and samples near their embeddings. */
import { Random } from '../../base/random.ts';
import type { GenerationSettings } from '../../experiment/types.ts';
import type { StateDict } from '../../nets/architecture.ts';
import { bootstrap, type Candidate, drawNear, drawNormal } from '../../sane/draw.ts';

export type Method = GenerationSettings['methods'][number];
export type SampledMethod = Extract<Method, 'hyper-representation' | 'kde30' | 'sub' | 'boot' | 'gauss'>;

/** The settings but for those of method flow, which a config has together. */
export type SamplingSettings = Omit<GenerationSettings, `flow_${string}`>;

/** A trained network that samples are drawn near. */
export interface Prompt {
  weights: StateDict;
  /** Token embeddings [tokens, latent], or the embedding of the whole network. */
  embedding: Float32Array;
  /** By which prompts are ranked (prompt_accuracy), as the zoo's manifest says. */
  accuracy: number;
}

export interface Sampler {
  settings: SamplingSettings & { seed: number };
  /** What the settings' bandwidth, gauss_mean and gauss_sd are multiples of. */
  unit: number;
  /** Numbers that are drawn together: of a token's embedding. 1: every number has a density of its own. */
  latent: number;
  prompts: readonly Prompt[];
  /** Networks of embeddings, made whole: destandardised, their batch-norm statistics refreshed. */
  decode(embeddings: readonly Float32Array[]): Promise<StateDict[]>;
  /** Their accuracies on the images that candidates are chosen by. */
  score(models: readonly StateDict[]): Promise<number[]>;
}

/** The best of the prompts, by accuracy, as many as `share` of them, at least one. */
export function bestPrompts(prompts: readonly Prompt[], share: number): Prompt[] {
  const count = Math.max(1, Math.round(share * prompts.length));
  return [...prompts].sort((a, b) => b.accuracy - a.accuracy).slice(0, count);
}

/** Samples of a method, for `sub`, `boot` and `gauss` the best first. Every draw has a stream of its own. */
export async function sample(method: SampledMethod, sampler: Sampler): Promise<StateDict[]> {
  const { settings, unit, latent, prompts, decode, score } = sampler;
  const { seed, samples, candidates, rounds, draws } = settings;
  const density = { latent, bandwidth: settings.bandwidth * unit, draws };
  const stream = (...name: (string | number)[]) => new Random(seed, 'generation', method, ...name);
  const near = (kept: readonly Float32Array[], round: number, i: number) =>
    drawNear(kept, density, stream(round, i));
  const all = prompts.map(({ embedding }) => embedding);

  if (method === 'kde30' || method === 'hyper-representation') {
    const best = bestPrompts(prompts, settings.prompt_share).map(({ embedding }) => embedding);
    return decode(Array.from({ length: samples }, (_, i) => near(best, 0, i)));
  }
  const size = (all[0] as Float32Array).length;
  const normal = (i: number) =>
    drawNormal(size, settings.gauss_mean * unit, settings.gauss_sd * unit, stream(0, i));
  const first = method === 'gauss' ? normal : (i: number) => near(all, 0, i);
  const scored = async (embeddings: readonly Float32Array[]) => {
    const models = await decode(embeddings);
    const scores = await score(models);
    return models.map((model, i) => ({ model, score: scores[i] as number }));
  };
  const effort = { rounds: method === 'sub' ? 1 : rounds, candidates, keep: samples };
  const kept: Candidate<StateDict>[] = await bootstrap(effort, first, near, scored);
  return kept.map(({ model }) => model);
}
