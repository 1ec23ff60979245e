import { tf } from '../../tf.ts';
import { execute } from './execute.ts';

interface Inputs {
  x: tf.Tensor;
  gain: tf.Tensor1D;
  bias?: tf.Tensor1D;
  dy: tf.Tensor;
  mean: tf.Tensor;
  rstd: tf.Tensor;
}

const operation = (name: string) => (a: tf.Tensor, b: tf.Tensor) => execute(name, [a, b], {});
const [add, sub, mul] = ['AddV2', 'Sub', 'Mul'].map(operation) as [
  ...[ReturnType<typeof operation>, ReturnType<typeof operation>, ReturnType<typeof operation>],
];

/** The mean over the last axis, which stays with length 1. */
const mean = (x: tf.Tensor) => execute('Mean', [x, tf.scalar(x.rank - 1, 'int32')], { keep_dims: true });

/** The sum over all axes but the last. */
const sum = (x: tf.Tensor) =>
  execute(
    'Sum',
    [
      x,
      tf.tensor1d(
        x.shape.slice(1).map((_, axis) => axis),
        'int32',
      ),
    ],
    { keep_dims: false },
  );

/**
 * SaneLayerNorm and SaneLayerNormGrad (kernel.ts) by TensorFlow's own operations, half as many calls as tfjs makes of the same. mean and
 * rstd have a last axis of length 1.
 */
export const layerNorms = {
  SaneLayerNorm({ x, gain, bias }: Inputs, { epsilon }: { epsilon: number }): tf.Tensor[] {
    const middle = mean(x);
    const variance = mean(execute('SquaredDifference', [x, middle], {}));
    const rstd = execute('Rsqrt', [add(variance, tf.scalar(epsilon))], {});
    const y = mul(mul(sub(x, middle), rstd), gain);
    return [bias ? add(y, bias) : y, middle, rstd];
  },

  SaneLayerNormGrad({ dy, x, gain, mean: middle, rstd }: Inputs, { bias }: { bias: boolean }): tf.Tensor[] {
    const unit = mul(sub(x, middle), rstd);
    const dunit = mul(dy, gain);
    // The mean and the variance depend on every number of the row: their share is taken off again.
    const shared = add(mean(dunit), mul(unit, mean(mul(dunit, unit))));
    const dx = mul(sub(dunit, shared), rstd);
    return [dx, sum(mul(dy, unit)), ...(bias ? [sum(dy)] : [])];
  },
};
