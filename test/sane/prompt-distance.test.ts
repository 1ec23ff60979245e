import { expect, test } from 'bun:test';
import { promptDistance } from '../../src/sane/prompt-distance.ts';

test('the distance is that to the nearest prompt, in units of what prompts are apart', () => {
  // Nearest others are 3, 3 and 4 away.
  const prompts = [
    [0, 0, 0],
    [0, 3, 0],
    [0, 3, 4],
  ].map((values) => Float32Array.from(values));
  const of = promptDistance(prompts);
  expect(of(Float32Array.of(0, 3, 4))).toBe(0);
  expect(of(Float32Array.of(2, 3, 4))).toBeCloseTo(2 / (10 / 3), 6);
  expect(of(Float32Array.of(0, 1, 0))).toBeCloseTo(1 / (10 / 3), 6);
});

test('near a single prompt the unit is its length', () => {
  const of = promptDistance([Float32Array.of(3, 0, 4)]);
  expect(of(Float32Array.of(3, 10, 4))).toBeCloseTo(2, 6);
});

test('near copies of one prompt the unit is its length too', () => {
  const of = promptDistance([Float32Array.of(3, 0, 4), Float32Array.of(3, 0, 4)]);
  expect(of(Float32Array.of(3, 10, 4))).toBeCloseTo(2, 6);
});
