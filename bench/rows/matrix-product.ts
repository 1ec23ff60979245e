/** The product of two square matrices. */
import { Random } from '../../src/base/random.ts';
import { dense } from '../../src/stages/operations.ts';
import { tf } from '../../src/tensor/tf.ts';
import type { Row } from '../row.ts';

/** The row of matrices of n rows and columns. */
export function matrixProduct(n: number, stepsPerTurn: number): Row {
  return {
    name: `matrix-product-${n}`,
    description: `a matrix product of ${n} x ${n}`,
    ...{ device: 'native', wanted: 1.05, stepsPerTurn },
    operations: dense(n, n, n),
    other: {
      script: 'matrix_product.py',
      config: {},
      variants: [{ name: 'NumPy, OpenBLAS' }, { name: 'PyTorch, MKL', informative: true }],
    },
    setup() {
      const matrix = (name: string) => new Random(n, 'bench', 'matrix', name).normals(n * n);
      const [a, b] = [matrix('a'), matrix('b')];
      const [left, right] = [tf.tensor2d(a, [n, n]), tf.tensor2d(b, [n, n])];
      let product = tf.matMul(left, right);
      return {
        tensors: [
          { name: 'a', shape: [n, n], data: a },
          { name: 'b', shape: [n, n], data: b },
        ],
        step() {
          product.dispose();
          product = tf.matMul(left, right);
        },
        /** The first row. */
        values: () => [...product.dataSync().subarray(0, n)],
      };
    },
  };
}
