import type { tf } from '../tf.ts';
import { allocate, views, type WasmKernel } from './kernel.ts';

/**
 * SaneMaxPool2Grad: dy goes to the first number of its 2x2 block that equals the block's maximum y. tfjs's own MaxPoolGrad
 * is slower, and wrong on this back end where an odd last row or column belongs to no block.
 */
export const maxPool2Grad: WasmKernel = (inputs, backend) => {
  const { dy, x, y } = inputs as Record<'dy' | 'x' | 'y', tf.TensorInfo>;
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const [rows, columns] = [height >> 1, width >> 1];
  const out = allocate(backend, x.shape);
  const [dys, from, largest, dx] = views(backend, dy, x, y, out);
  dx.fill(0);
  let block = 0;
  for (let sample = 0; sample < batch; sample++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const start = ((sample * height + 2 * row) * width + 2 * column) * channels;
        for (let a = start; a < start + channels; a++) {
          const b = a + channels;
          const c = a + width * channels;
          const d = c + channels;
          const max = largest[block] as number;
          const at = from[a] === max ? a : from[b] === max ? b : from[c] === max ? c : d;
          dx[at] = dys[block++] as number;
        }
      }
    }
  }
  return out;
};
