import { differentiable } from '../differentiable.ts';
import { tf } from '../tf.ts';

export interface Windows {
  /** Side of a window. */
  kernel: number;
  /** Pixels from one window to the next. */
  stride: number;
  /** Rows and columns of zeros around the image, on each side. */
  padding: number;
}

/**
 * The windows that a convolution sees of x [B, H, W, C], each as one row: [B, OH, OW, kernel * kernel * C]. Both this and its
 * gradient pick numbers by their position and write each but once, which unlike a scattered sum is the same every time.
 */
export function patches(x: tf.Tensor4D, windows: Windows): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const { kernel, stride, padding } = windows;
  if (kernel === 1 && stride === 1 && padding === 0) return x;
  const { rows, columns, taken, given, most } = geometry(height, width, windows);
  const y = differentiable(
    [x],
    () => ({ value: pick(x.reshape([batch, height * width, channels]), taken), saved: [] }),
    (dy) => {
      const parts = pick(dy.reshape([batch, -1, channels]), given);
      return [tf.sum(parts.reshape([batch, height * width, most, channels]), 2).reshape(x.shape)];
    },
  );
  return y.reshape([batch, rows, columns, kernel * kernel * channels]);
}

interface Geometry {
  /** Windows along each side. */
  rows: number;
  columns: number;
  /** Of each number of each window, the pixel that it is; -1: a zero of the padding. */
  taken: Int32Array;
  /** Of each pixel, `most` numbers of windows that it is; -1: none further. */
  given: Int32Array;
  most: number;
}

const known = new Map<string, Geometry>();

function geometry(height: number, width: number, windows: Windows): Geometry {
  const key = JSON.stringify([height, width, windows]);
  const found = known.get(key) ?? describe(height, width, windows);
  known.set(key, found);
  return found;
}

function describe(height: number, width: number, { kernel, stride, padding }: Windows): Geometry {
  const [rows, columns] = [height, width].map(
    (side) => Math.floor((side + 2 * padding - kernel) / stride) + 1,
  ) as [number, number];
  const taken = new Int32Array(rows * columns * kernel * kernel).fill(-1);
  const users: number[][] = Array.from({ length: height * width }, () => []);
  let at = 0;
  for (let row = -padding; row < -padding + rows * stride; row += stride) {
    for (let column = -padding; column < -padding + columns * stride; column += stride) {
      for (let i = row; i < row + kernel; i++) {
        for (let j = column; j < column + kernel; j++, at++) {
          if (i < 0 || i >= height || j < 0 || j >= width) continue;
          taken[at] = i * width + j;
          users[i * width + j]?.push(at);
        }
      }
    }
  }
  const most = Math.max(1, ...users.map(({ length }) => length));
  const given = new Int32Array(users.length * most).fill(-1);
  for (const [pixel, numbers] of users.entries()) given.set(numbers, pixel * most);
  return { rows, columns, taken, given, most };
}

/** Rows of x [B, N, C] by their index, the same of each batch; -1 is a row of zeros: [B, indices, C]. */
function pick(x: tf.Tensor3D, indices: Int32Array): tf.Tensor3D {
  const rows = x.shape[1];
  if (!indices.includes(-1)) return tf.gather(x, tf.tensor1d(indices, 'int32'), 1);
  const padded = tf.pad3d(x, [
    [0, 0],
    [0, 1],
    [0, 0],
  ]);
  return tf.gather(
    padded,
    tf.tensor1d(
      indices.map((index) => (index < 0 ? rows : index)),
      'int32',
    ),
    1,
  );
}
