import { beforeAll, expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import { startDevice } from '../../src/tensor/devices/registry.ts';
import type { NativeBackend } from '../../src/tensor/kernels/backend.ts';
import { tf } from '../../src/tensor/tf.ts';
import { testSeed } from '../seed.ts';
import { describeNative } from './devices.ts';

const random = new Random(testSeed, 'tiles');

/** A product, and its largest error by the sum of the products' sizes, in float64. */
function product(m: number, k: number, n: number, transposeA: boolean, transposeB: boolean) {
  const [a, b] = [random.normals(m * k), random.normals(k * n)];
  const c = tf.tidy(() => {
    const left = tf.tensor2d(a, transposeA ? [k, m] : [m, k]);
    const right = tf.tensor2d(b, transposeB ? [n, k] : [k, n]);
    return tf.matMul(left, right, transposeA, transposeB).dataSync<'float32'>();
  });
  let worst = 0;
  for (let i = 0; i < m; i += 1 + random.integer(7)) {
    for (let j = 0; j < n; j += 1 + random.integer(7)) {
      let [sum, size] = [0, 0];
      for (let p = 0; p < k; p++) {
        const x =
          (a[transposeA ? p * m + i : i * k + p] as number) *
          (b[transposeB ? j * k + p : p * n + j] as number);
        sum += x;
        size += Math.abs(x);
      }
      worst = Math.max(worst, Math.abs((c[i * n + j] as number) - sum) / size);
    }
  }
  return worst;
}

describeNative(`large products`, () => {
  let backend: NativeBackend;
  beforeAll(async () => {
    await startDevice('native', { threads: 2 });
    backend = tf.backend() as NativeBackend;
  });

  // Where there is no matrix unit both are the same.
  test.each([0, 1])('are as exact as float32, on the matrix unit and without it (%p)', (tiles) => {
    backend.library.use_tiles(tiles);
    for (const [transposeA, transposeB] of [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ] as const) {
      const [m, k, n] = [0, 0, 0].map(() => 103 + random.integer(100)) as [number, number, number];
      // Half a unit in the last place for each product and sum, which mostly cancel; seldom above 3e-7.
      expect(product(m, k, n, transposeA, transposeB)).toBeLessThan(6e-7);
    }
    expect(product(33, 1100, 40, false, false)).toBeLessThan(6e-7);
    backend.library.use_tiles(1);
  });

  test('keep what is infinite, not a number, huge or tiny', () => {
    for (const value of [Number.POSITIVE_INFINITY, Number.NaN, 3e38, 1e-38, -1e-41]) {
      const size = 110;
      const left = new Float32Array(size * size).fill(0);
      left[3 * size + 5] = value;
      const c = tf.tidy(() =>
        tf.matMul(tf.tensor2d(left, [size, size]), tf.ones<tf.Rank.R2>([size, size])).dataSync(),
      );
      const result = c[3 * size + 7] as number;
      // Numbers near 1e-38 may lose digits, or all: float32 has less of them there.
      if (Number.isFinite(value))
        expect(Math.abs(result - value)).toBeLessThanOrEqual(1e-7 * Math.abs(value) + 1e-38);
      else expect(result).toBe(value);
      expect(c[4 * size + 7]).toBe(0);
    }
  });
});
