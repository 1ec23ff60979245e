import { tf } from '../tf.ts';

export interface Windows {
  /** Side of a window. */
  kernel: number;
  /** Pixels from one window to the next. */
  stride: number;
  /** Rows and columns of zeros around the image, on each side. */
  padding: number;
  /** Pixels from one place in a window to the next; 1 if not given. */
  dilation?: number;
}

export interface Geometry {
  /** Windows along each side. */
  rows: number;
  columns: number;
  /** Places in a window. */
  places: number;
  /** Of each window and each place in it, the pixel there; -1: a zero of the padding. */
  pixels: Int32Array;
  /** Of each pixel and each place in a window, the window that has the pixel there; -1: none. */
  results: Int32Array;
}

const known = new Map<string, Geometry>();

/** Which pixels of an image a convolution's windows see. */
export function geometryOf(height: number, width: number, windows: Windows): Geometry {
  const key = JSON.stringify([height, width, windows]);
  const geometry = known.get(key) ?? makeGeometry(height, width, windows);
  known.set(key, geometry);
  return geometry;
}

function makeGeometry(height: number, width: number, windows: Windows): Geometry {
  const { kernel, stride, padding, dilation = 1 } = windows;
  const count = (side: number) => Math.floor((side + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;
  const [rows, columns] = [count(height), count(width)];
  const taps = kernel * kernel;
  const pixels = new Int32Array(rows * columns * taps).fill(-1);
  const results = new Int32Array(height * width * taps).fill(-1);
  for (let window = 0; window < rows * columns; window++) {
    const top = Math.floor(window / columns) * stride - padding;
    const left = (window % columns) * stride - padding;
    for (let tap = 0; tap < taps; tap++) {
      const row = top + Math.floor(tap / kernel) * dilation;
      const column = left + (tap % kernel) * dilation;
      if (row < 0 || row >= height || column < 0 || column >= width) continue;
      pixels[window * taps + tap] = row * width + column;
      results[(row * width + column) * taps + tap] = window;
    }
  }
  return { rows, columns, places: taps, pixels, results };
}

/** Rows of x [B, N, C] by their index, the same of each batch; -1 is a row of `outside`: [B, indices, C]. */
export function pick(x: tf.Tensor3D, indices: Int32Array, outside = 0): tf.Tensor3D {
  const rows = x.shape[1];
  if (!indices.includes(-1)) return tf.gather(x, tf.tensor1d(indices, 'int32'), 1);
  const row = tf.fill<tf.Rank.R3>([x.shape[0], 1, x.shape[2]], outside);
  const places = indices.map((index) => (index < 0 ? rows : index));
  return tf.gather(tf.concat([x, row], 1), tf.tensor1d(places, 'int32'), 1);
}
