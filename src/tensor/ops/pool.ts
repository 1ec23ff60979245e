/** Pooling by windows that may overlap or reach beyond the image, composed of operations that every device has. */
import { differentiable } from '../differentiable.ts';
import { tf } from '../tf.ts';
import { maxPool } from './max-pool.ts';
import { type Geometry, geometryOf, pick, type Windows } from './windows.ts';

/**
 * Maximum of each window of x [B, H, W, C], as PyTorch's: what is outside of the image never is the maximum, and the first of equals
 * gets the gradient. Throws a RangeError for windows that may lie outside altogether (padding above half of the kernel).
 */
export function maxPoolWindows(x: tf.Tensor4D, windows: Windows): tf.Tensor4D {
  const { kernel, stride, padding } = windows;
  if (padding > kernel / 2) throw new RangeError('The padding of a maximum is at most half of its kernel.');
  if (stride === kernel && padding === 0) return maxPool(x, kernel);
  return pooled(x, windows, {
    forward: (places) => ({ value: tf.max(places, 2), saved: [tf.argMax(places, 2)] }),
    outside: Number.NEGATIVE_INFINITY,
    backward: (dy, geometry, [first]) => {
      const chosen = shares(tf.cast(first as tf.Tensor3D, 'float32'), geometry, -1);
      const place = tf.range(0, kernel * kernel).reshape([1, 1, -1, 1]);
      return tf.sum(tf.mul(shares(dy, geometry), tf.cast(tf.equal(chosen, place), 'float32')), 2);
    },
  });
}

/** Mean of each window of x [B, H, W, C], zeros outside of the image counted, as PyTorch's by default. */
export function averagePoolWindows(x: tf.Tensor4D, windows: Windows): tf.Tensor4D {
  const taps = windows.kernel ** 2;
  return pooled(x, windows, {
    forward: (places) => ({ value: tf.mean(places, 2), saved: [] }),
    outside: 0,
    backward: (dy, geometry) => tf.div(tf.sum(shares(dy, geometry), 2), taps),
  });
}

interface Pooling {
  /** The result [B, windows, C] of the numbers at the windows' places [B, windows, places, C], and what the gradient needs. */
  forward(places: tf.Tensor4D): { value: tf.Tensor; saved: tf.Tensor[] };
  /** What stands outside of the image. */
  outside: number;
  /** The gradient [B, pixels, C] of that of the result, [B, windows, C]. */
  backward(dy: tf.Tensor3D, geometry: Geometry, saved: tf.Tensor[]): tf.Tensor;
}

function pooled(x: tf.Tensor4D, windows: Windows, { forward, outside, backward }: Pooling): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const geometry = geometryOf(height, width, windows);
  const { rows, columns } = geometry;
  const y = differentiable(
    [x],
    () => {
      const pixels = x.reshape<tf.Tensor3D>([batch, height * width, channels]);
      const places = pick(pixels, geometry.pixels, outside);
      const { value, saved } = forward(places.reshape([batch, rows * columns, -1, channels]));
      return { value: value.reshape([batch, rows, columns, channels]), saved };
    },
    (dy, saved) => {
      const results = dy.reshape<tf.Tensor3D>([batch, rows * columns, channels]);
      return [backward(results, geometry, saved).reshape(x.shape)];
    },
  );
  return y as tf.Tensor4D;
}

/** For each pixel and place in a window, the number [B, windows, C] of the window that has the pixel there: [B, pixels, places, C]. */
function shares(results: tf.Tensor3D, geometry: Geometry, outside = 0): tf.Tensor4D {
  const [batch, , channels] = results.shape;
  const { places } = geometry;
  return pick(results, geometry.results, outside).reshape([batch, -1, places, channels]);
}
