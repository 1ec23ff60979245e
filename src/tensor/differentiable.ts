import { tf } from './tf.ts';

/**
 * A tensor computed from `inputs` with a gradient of our own. `forward` gives the value and what the gradient needs of it;
 * `backward` gets the value's gradient and those tensors, and gives one gradient for each input, in order.
 */
export function differentiable(
  inputs: tf.Tensor[],
  forward: () => { value: tf.Tensor; saved: tf.Tensor[] },
  backward: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.Tensor[],
): tf.Tensor {
  const operation = tf.customGrad((...args) => {
    const save = args.at(-1) as tf.GradSaveFunc;
    const { value, saved } = forward();
    save(saved);
    return { value, gradFunc: backward };
  });
  return operation(...inputs);
}
