/** Embeddings of new models: draws from densities around those of the prompts (equation 7), and the rounds that choose among them. */
import type { Random } from '../base/random.ts';

export interface Density {
  /** Numbers of a token's embedding. */
  latent: number;
  /** Standard deviation of the Gaussian kernels. */
  bandwidth: number;
  draws: Draws;
}

/**
 * What the tokens of a model have in common. shared: one prompt and one offset, which is what the authors' released code comes to,
 * since it seeds every token's draw alike. joint: one prompt, and offsets of their own, a draw from the density of whole sequences.
 * independent: nothing, every token is drawn from its own density over the prompts (the paper's text).
 */
export const draws = ['shared', 'joint', 'independent'] as const;
export type Draws = (typeof draws)[number];

/** One draw [tokens, latent] from the kernel density estimates of the prompts' token embeddings, each [tokens, latent]. */
export const drawNear = (prompts: readonly Float32Array[], density: Density, random: Random): Float32Array =>
  drawWithPrompt(prompts, density, random).embedding;

/** The same, and the index of the prompt that it is near; of an independent draw, which has one for each token, null. */
export function drawWithPrompt(
  prompts: readonly Float32Array[],
  { latent, bandwidth, draws }: Density,
  random: Random,
): { embedding: Float32Array; prompt: number | null } {
  if (draws !== 'independent') {
    const index = random.integer(prompts.length);
    const prompt = prompts[index] as Float32Array;
    const offset = random.normals(draws === 'shared' ? latent : prompt.length);
    return {
      embedding: prompt.map((z, i) => z + bandwidth * (offset[i % offset.length] as number)),
      prompt: index,
    };
  }
  const result = new Float32Array((prompts[0] as Float32Array).length);
  for (let start = 0; start < result.length; start += latent) {
    const prompt = prompts[random.integer(prompts.length)] as Float32Array;
    for (let i = start; i < start + latent; i++) {
      result[i] = (prompt[i] as number) + bandwidth * random.normal();
    }
  }
  return { embedding: result, prompt: null };
}

/** One draw of `size` numbers from a normal distribution. */
export function drawNormal(size: number, mean: number, sd: number, random: Random): Float32Array {
  return random.normals(size).map((e) => mean + sd * e);
}

/** A drawn embedding, what was decoded from it, and its score: the higher the better. */
export interface Candidate<T> {
  embedding: Float32Array;
  model: T;
  score: number;
}

/**
 * Algorithm 3: draws candidates, scores them, keeps the best, and draws the next round's near those. Returns those kept in
 * the last round, the best first; of equals the one drawn first.
 */
export async function bootstrap<T>(
  { rounds, candidates, keep }: { rounds: number; candidates: number; keep: number },
  first: (candidate: number) => Float32Array,
  next: (kept: readonly Float32Array[], round: number, candidate: number) => Float32Array,
  score: (embeddings: readonly Float32Array[]) => Promise<{ model: T; score: number }[]>,
): Promise<Candidate<T>[]> {
  let kept: Candidate<T>[] = [];
  for (let round = 0; round < rounds; round++) {
    const near = kept.map(({ embedding }) => embedding);
    const embeddings = Array.from({ length: candidates }, (_, i) =>
      round === 0 ? first(i) : next(near, round, i),
    );
    const scored = await score(embeddings);
    kept = scored
      .map((one, i) => ({ ...one, embedding: embeddings[i] as Float32Array }))
      .sort((a, b) => b.score - a.score)
      .slice(0, keep);
  }
  return kept;
}
