import { tf } from '../tf.ts';
import { allocate, views, type WasmKernel } from './kernel.ts';

/** tfjs's MaxPoolGrad, which is wrong here for rows that no window covers: dy goes to the first maximum of each window. */
export const maxPoolGrad: WasmKernel = (inputs, backend, attributes) => {
  const { dy, input } = inputs as { dy: tf.TensorInfo; input: tf.TensorInfo };
  const { filterSize, strides, pad, dimRoundingMode } = attributes as unknown as {
    filterSize: number | [number, number];
    strides: number | [number, number];
    pad: 'valid' | 'same' | number;
    dimRoundingMode?: 'floor' | 'round' | 'ceil';
  };
  const shape = input.shape as [number, number, number, number];
  const pool = tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth } = pool;
  const out = allocate(backend, input.shape);
  const [dys, x, dx] = views(backend, dy, input, out);
  dx.fill(0);
  let window = 0;
  for (let sample = 0; sample < batchSize; sample++) {
    for (let row = 0; row < outHeight; row++) {
      const top = row * pool.strideHeight - pool.padInfo.top;
      const [firstRow, endRow] = [Math.max(top, 0), Math.min(top + pool.filterHeight, inHeight)];
      for (let column = 0; column < outWidth; column++) {
        const left = column * pool.strideWidth - pool.padInfo.left;
        const [firstColumn, endColumn] = [Math.max(left, 0), Math.min(left + pool.filterWidth, inWidth)];
        for (let channel = 0; channel < inChannels; channel++) {
          let largest = Number.NEGATIVE_INFINITY;
          let place = -1;
          for (let i = firstRow; i < endRow; i++) {
            for (let j = firstColumn; j < endColumn; j++) {
              const at = ((sample * inHeight + i) * inWidth + j) * inChannels + channel;
              if ((x[at] as number) > largest) {
                largest = x[at] as number;
                place = at;
              }
            }
          }
          if (place >= 0) dx[place] = (dx[place] as number) + (dys[window] as number);
          window++;
        }
      }
    }
  }
  return out;
};
