import type { tf } from '../tf.ts';
import { allocate, views, type WasmKernel } from './kernel.ts';

/** SaneLayerNorm: the normalised rows, their means and reciprocal standard deviations. Row sums are in double precision. */
export const layerNorm: WasmKernel = (inputs, backend, attributes) => {
  const { x, gain, bias } = inputs as { x: tf.TensorInfo; gain: tf.TensorInfo; bias?: tf.TensorInfo };
  const epsilon = attributes.epsilon as number;
  const [rows, width] = x.shape as [number, number];
  const outputs = [allocate(backend, x.shape), allocate(backend, [rows]), allocate(backend, [rows])] as const;
  const [from, gains, biases] = views(backend, x, gain, bias);
  const [to, means, rstds] = views(backend, ...outputs);
  for (let row = 0; row < rows; row++) {
    const start = row * width;
    let sum = 0;
    for (let j = 0; j < width; j++) sum += from[start + j] as number;
    const mean = sum / width;
    let squares = 0;
    for (let j = 0; j < width; j++) squares += ((from[start + j] as number) - mean) ** 2;
    const rstd = 1 / Math.sqrt(squares / width + epsilon);
    for (let j = 0; j < width; j++) {
      to[start + j] = ((from[start + j] as number) - mean) * rstd * (gains[j] as number);
    }
    if (biases) {
      for (let j = 0; j < width; j++) to[start + j] = (to[start + j] as number) + (biases[j] as number);
    }
    means[row] = mean;
    rstds[row] = rstd;
  }
  return [...outputs];
};

/** SaneLayerNormGrad: gradients of x, gain and, if asked for, bias. */
export const layerNormGrad: WasmKernel = (inputs, backend, attributes) => {
  const { dy, x, gain, mean, rstd } = inputs as Record<'dy' | 'x' | 'gain' | 'mean' | 'rstd', tf.TensorInfo>;
  const [rows, width] = x.shape as [number, number];
  const outputs = [allocate(backend, x.shape), allocate(backend, [width])];
  if (attributes.bias) outputs.push(allocate(backend, [width]));
  const [dys, from, gains, means, rstds] = views(backend, dy, x, gain, mean, rstd);
  const [dx, dgain, dbias] = views(backend, ...(outputs as [tf.TensorInfo, tf.TensorInfo, tf.TensorInfo?]));
  const gainSums = new Float64Array(width);
  const biasSums = new Float64Array(width);
  for (let row = 0; row < rows; row++) {
    const start = row * width;
    const center = means[row] as number;
    const scale = rstds[row] as number;
    let sum = 0;
    let projection = 0;
    for (let j = 0; j < width; j++) {
      const d = dys[start + j] as number;
      const unit = ((from[start + j] as number) - center) * scale;
      const dunit = d * (gains[j] as number);
      sum += dunit;
      projection += dunit * unit;
      gainSums[j] = (gainSums[j] as number) + d * unit;
      biasSums[j] = (biasSums[j] as number) + d;
    }
    for (let j = 0; j < width; j++) {
      const unit = ((from[start + j] as number) - center) * scale;
      const dunit = (dys[start + j] as number) * (gains[j] as number);
      dx[start + j] = scale * (dunit - (sum + unit * projection) / width);
    }
  }
  dgain.set(gainSums);
  dbias?.set(biasSums);
  return outputs;
};
