/** Draws from densities of embeddings: their moments, what tokens share, and the rounds that choose. */
import { describe, expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import { bootstrap, type Density, drawNear, drawNormal } from '../../src/sane/draw.ts';
import { testSeed } from '../seed.ts';

const [tokens, latent, bandwidth] = [5, 3, 0.01];
/** Prompts whose numbers tell which prompt, token and dimension they are of. */
const prompts = Array.from({ length: 4 }, (_, p) =>
  Float32Array.from({ length: tokens * latent }, (_, i) => 100 * p + i),
);
const promptOf = (draw: Float32Array, token: number) =>
  Math.round(((draw[token * latent] as number) - token * latent) / 100);

/** Draws, as the prompt of every token and the offsets from it. */
function draws(count: number, kind: Density['draws']) {
  return Array.from({ length: count }, (_, i) => {
    const draw = drawNear(prompts, { latent, bandwidth, draws: kind }, new Random(testSeed, 'draw', i));
    const chosen = Array.from({ length: tokens }, (_, t) => promptOf(draw, t));
    const offsets = [...draw].map((z, j) => z - prompts[chosen[Math.floor(j / latent)]!]![j]!);
    return { chosen, offsets };
  });
}

const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;

describe('kernel density draws', () => {
  for (const kind of ['independent', 'joint', 'shared'] as const) {
    test(`${kind}: every prompt as often, offsets of mean 0 and the bandwidth`, () => {
      const all = draws(2000, kind);
      for (let p = 0; p < prompts.length; p++) {
        const share = mean(all.map(({ chosen }) => (chosen[2] === p ? 1 : 0)));
        // Five standard deviations of a share of 1/4 among 2000.
        expect(Math.abs(share - 0.25)).toBeLessThan(0.05);
      }
      const third = all.map(({ offsets }) => offsets[7] as number);
      expect(Math.abs(mean(third))).toBeLessThan((5 * bandwidth) / Math.sqrt(2000));
      expect(Math.sqrt(mean(third.map((x) => x * x))) / bandwidth).toBeCloseTo(1, 0.9);
    });
  }

  test('shared: all tokens of a model have one prompt and one offset', () => {
    for (const { chosen, offsets } of draws(50, 'shared')) {
      expect(new Set(chosen).size).toBe(1);
      for (const [i, offset] of offsets.entries()) expect(offset).toBeCloseTo(offsets[i % latent]!, 3);
    }
  });

  test('joint: all tokens of a model have one prompt, and their offsets are uncorrelated', () => {
    const all = draws(2000, 'joint');
    for (const { chosen } of all) expect(new Set(chosen).size).toBe(1);
    const product = mean(all.map(({ offsets }) => (offsets[0]! * offsets[latent]!) / bandwidth ** 2));
    expect(Math.abs(product)).toBeLessThan(5 / Math.sqrt(2000));
  });

  test('independent: tokens of a model mix prompts, and their offsets are uncorrelated', () => {
    const all = draws(2000, 'independent');
    expect(mean(all.map(({ chosen }) => (chosen[0] === chosen[1] ? 1 : 0)))).toBeCloseTo(0.25, 1);
    const product = mean(all.map(({ offsets }) => (offsets[0]! * offsets[latent]!) / bandwidth ** 2));
    expect(Math.abs(product)).toBeLessThan(5 / Math.sqrt(2000));
  });

  test('normal draws have the mean and deviation asked for', () => {
    const values = [...drawNormal(20_000, 3, 0.5, new Random(testSeed, 'normal'))];
    expect(mean(values)).toBeCloseTo(3, 1);
    expect(Math.sqrt(mean(values.map((x) => (x - 3) ** 2)))).toBeCloseTo(0.5, 1);
  });
});

describe('rounds of bootstrapping', () => {
  /** Numbers near 3 score best. */
  const search = (rounds: number, scored: number[] = []) => {
    const near = (kept: readonly Float32Array[], round: number, i: number) => {
      const random = new Random(7, 'near', round, i);
      return drawNear(kept, { latent: 1, bandwidth: 0.3, draws: 'independent' }, random);
    };
    return bootstrap(
      { rounds, candidates: 20, keep: 4 },
      (i) => drawNormal(1, 0, 0.5, new Random(7, 'first', i)),
      near,
      async (embeddings) =>
        embeddings.map(([z]) => {
          scored.push(z!);
          return { model: `model ${z}`, score: -Math.abs(z! - 3) };
        }),
    );
  };

  test('return the best of the last round, sorted, with their own models', async () => {
    const scored: number[] = [];
    const kept = await search(3, scored);
    const last = scored.slice(40).sort((a, b) => Math.abs(a - 3) - Math.abs(b - 3));
    expect(kept.map(({ embedding }) => embedding[0]!)).toEqual(last.slice(0, 4));
    for (const { embedding, model, score } of kept) {
      expect(model).toBe(`model ${embedding[0]}`);
      expect(score).toBe(-Math.abs(embedding[0]! - 3));
    }
  });

  test('come nearer with every round, and to the same again', async () => {
    const best = await Promise.all([1, 4, 12].map(async (rounds) => (await search(rounds))[0]!.score));
    expect(best[1]!).toBeGreaterThan(best[0]!);
    expect(best[2]!).toBeGreaterThan(-0.1);
    expect((await search(4))[0]!.score).toBe(best[1]!);
  });
});
