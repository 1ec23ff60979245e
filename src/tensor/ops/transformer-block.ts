import { differentiable } from '../differentiable.ts';
import { hasKernel, runKernel } from '../kernel.ts';
import { tf } from '../tf.ts';
import { attention } from './attention.ts';
import { gelu } from './gelu.ts';
import { layerNorm } from './layer-norm.ts';
import { linear } from './linear.ts';

/** Gains and weights of a block of width d whose MLP has `hidden` units. */
export interface BlockWeights {
  /** Gains of the norms before attention and before the MLP, [d]. */
  norm1: tf.Tensor1D;
  norm2: tf.Tensor1D;
  /** Queries, keys and values [3d, d], and what follows attention [d, d]. */
  qkv: tf.Tensor2D;
  projection: tf.Tensor2D;
  /** The MLP's [hidden, d] and [d, hidden]. */
  fc: tf.Tensor2D;
  mlp: tf.Tensor2D;
}

const epsilon = 1e-5;

/**
 * A pre-norm block of a transformer without biases and without a mask: x += Attention(LN(x)); x += MLP(LN(x)), with GELU.
 * x [B, T, d] to [B, T, d].
 */
export function transformerBlock(x: tf.Tensor3D, weights: BlockWeights, heads: number): tf.Tensor3D {
  if (!hasKernel('SaneTransformerBlock')) return composed(x, weights, heads);
  const { norm1, qkv, projection, norm2, fc, mlp } = weights;
  // Without a gradient nobody reads what is kept for it, and the next block takes its memory.
  const isRecorded = tf.engine().isTapeOn();
  const y = differentiable(
    [x, norm1, qkv, projection, norm2, fc, mlp],
    () => {
      const outputs = runKernel('SaneTransformerBlock', { x, ...weights }, { heads, epsilon });
      const [value, ...kept] = outputs as [tf.Tensor, ...tf.Tensor[]];
      if (!isRecorded) tf.dispose(kept);
      return { value, saved: [x, norm1, qkv, projection, norm2, fc, mlp, ...kept] };
    },
    (dy, [x, norm1, qkv, projection, norm2, fc, mlp, ...kept]) => {
      const named = Object.fromEntries(kept.map((tensor, i) => [`kept${i}`, tensor]));
      const inputs = { dy, x, norm1, qkv, projection, norm2, fc, mlp, ...named };
      return runKernel('SaneTransformerBlockGrad', inputs, { heads });
    },
  );
  return y as tf.Tensor3D;
}

function composed(x: tf.Tensor3D, weights: BlockWeights, heads: number): tf.Tensor3D {
  const { norm1, qkv, projection, norm2, fc, mlp } = weights;
  const normed = layerNorm(x, norm1, undefined, epsilon);
  const attended = attention(linear(normed, qkv) as tf.Tensor3D, heads);
  const middle = tf.add(x, linear(attended, projection));
  const hidden = gelu(linear(layerNorm(middle, norm2, undefined, epsilon), fc));
  return tf.add(middle, linear(hidden, mlp)) as tf.Tensor3D;
}
