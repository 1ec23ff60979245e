import { expect, test } from 'bun:test';
import { oneCycle } from '../../src/tensor/one-cycle.ts';

/** PyTorch's OneCycleLR with 150 steps and a greatest rate of 1e-4: step, learning rate, beta1. */
const golden = [
  [0, 4e-6, 0.95],
  [1, 4.122298499e-6, 0.94987261],
  [10, 1.572402043e-5, 0.93778748],
  [44, 1e-4, 0.85],
  [45, 9.99776217e-5, 0.85002238],
  [75, 7.999117477e-5, 0.87000891],
  [100, 4.477379774e-5, 0.90522642],
  [149, 4e-10, 0.95],
] as const;

test.each(golden)('step %d of 150', (step, learningRate, beta1) => {
  const schedule = oneCycle(step, 150, 1e-4);
  expect(Math.abs(schedule.learningRate / learningRate - 1)).toBeLessThan(1e-9);
  expect(schedule.beta1).toBeCloseTo(beta1, 8);
});

test.each([1, 2, 3, 10])('ends at its least rate after %d steps', (total) => {
  const { learningRate, beta1 } = oneCycle(total - 1, total, 1);
  expect(learningRate).toBeCloseTo(1 / 250_000, 12);
  expect(beta1).toBeCloseTo(0.95, 12);
});

test('refuses a step beyond the last', () => {
  expect(() => oneCycle(150, 150, 1)).toThrow('has 150 steps, from 0 on; step 150 is not one of them');
});
