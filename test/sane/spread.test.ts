import { expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import { embeddingSpread } from '../../src/sane/spread.ts';
import { testSeed } from '../seed.ts';

test('the spread is the root of the mean variance between models, whatever their mean', async () => {
  const random = new Random(testSeed, 'spread');
  const size = 7 * 3;
  // Means far apart between tokens and dimensions, which are no spread between models.
  const means = random.normals(size).map((x) => 100 * x);
  const models = Array.from({ length: 9 }, () =>
    random.normals(size).map((e, i) => (means[i] as number) + 0.5 * e),
  );
  let squares = 0;
  for (let i = 0; i < size; i++) {
    const values = models.map((model) => model[i] as number);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    squares += values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (values.length - 1);
  }
  expect(await embeddingSpread(models)).toBeCloseTo(Math.sqrt(squares / size), 6);
});

test('one model has none', async () => {
  expect(await embeddingSpread([new Float32Array(3)])).toBeNull();
  expect(await embeddingSpread([])).toBeNull();
});
