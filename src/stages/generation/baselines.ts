/** The methods that need no autoencoder: prompts, and what is made of their weights, chosen among as carefully as `sub` chooses. */
import { Random } from '../../base/random.ts';
import type { GenerationSettings } from '../../experiment/types.ts';
import type { Outline, StateDict } from '../../nets/architecture.ts';
import { averageOf, withNoise } from '../../sane/prompt-baselines.ts';
import type { Method } from './methods.ts';

export type BaselineMethod = Extract<Method, 'prompts' | 'noise' | 'average'>;

export const isBaseline = (method: Method): method is BaselineMethod =>
  method === 'prompts' || method === 'noise' || method === 'average';

export interface Baseline {
  settings: Pick<GenerationSettings, 'samples' | 'candidates' | 'noise' | 'averaged'> & { seed: number };
  /** The networks that the prompts are, and their weights. */
  architecture: Outline;
  prompts: readonly StateDict[];
  /** Makes networks for the images, their batch-norm statistics refreshed. */
  finish(models: readonly StateDict[]): Promise<StateDict[]>;
  /** Their accuracies on the images that candidates are chosen by. */
  score(models: readonly StateDict[]): Promise<number[]>;
}

/** Of the candidates of a method the best, the best first. A prompt has its place among the prompts. */
export async function sampleBaseline(
  method: BaselineMethod,
  baseline: Baseline,
): Promise<{ weights: StateDict; prompt?: number }[]> {
  const { settings, prompts, finish, score } = baseline;
  const candidates =
    method === 'prompts'
      ? [...prompts]
      : await Promise.all(Array.from({ length: settings.candidates }, (_, i) => draw(method, baseline, i)));
  const models = await finish(candidates);
  const scores = await score(models);
  return models
    .map((weights, i) => ({
      weights,
      score: scores[i] as number,
      ...(method === 'prompts' && { prompt: i }),
    }))
    .sort((a, b) => b.score - a.score)
    .slice(0, settings.samples);
}

/** A candidate. Every one has a stream of its own. */
async function draw(
  method: 'noise' | 'average',
  { settings: { seed, noise, averaged }, architecture, prompts }: Baseline,
  i: number,
): Promise<StateDict> {
  const random = new Random(seed, 'generation', method, i);
  if (method === 'noise') {
    const prompt = prompts[random.integer(prompts.length)] as StateDict;
    return withNoise(architecture, prompt, noise, random);
  }
  if (averaged > prompts.length) {
    throw new Error(
      `generation.averaged is ${averaged}, and the zoo has ${prompts.length} prompts: lower it, or take average out of generation.methods`,
    );
  }
  const chosen = [...random.permutation(prompts.length).subarray(0, averaged)];
  return averageOf(
    architecture,
    chosen.map((p) => prompts[p] as StateDict),
    random,
  );
}
