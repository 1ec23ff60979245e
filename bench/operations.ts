/**
 * Floating-point operations of the work measured: a multiply-add of a matrix product or a convolution counts two, everything
 * else (normalisation, softmax, activations, optimiser, losses) nothing. Products that an implementation computes twice count once.
 */
import type { Architecture } from '../src/nets/architecture.ts';
import type { NormalizedConv, Resnet } from '../src/nets/resnet.ts';
import type { SaneShape } from '../src/sane/parameters.ts';

type Windows = Pick<SaneShape, 'token_size' | 'd_model' | 'latent_dim' | 'layers' | 'window'>;

/** A dense map of `rows` vectors. */
export const dense = (rows: number, inputs: number, outputs: number) => 2 * rows * inputs * outputs;

/** The blocks of one stack over `rows` windows: four dense maps of 12 d^2 weights in all, and the two products of attention. */
function stack({ d_model: d, layers, window }: Windows, rows: number): number {
  const maps = dense(rows * window, d, 12 * d);
  const attention = 2 * dense(rows * window, d, window);
  return layers * (maps + attention);
}

/** SANE's encoder on `rows` windows. */
export function encoderOperations(shape: Windows, rows: number): number {
  const { token_size, d_model, latent_dim, window } = shape;
  const tokens = rows * window;
  return dense(tokens, token_size, d_model) + stack(shape, rows) + dense(tokens, d_model, latent_dim);
}

/**
 * A pretraining step of SANE on `rows` windows, both views counted: encoder, decoder and projection head forward, and twice
 * as much backward, for each map's input and its weights; only the input of the first, the tokens, needs no gradient.
 */
export function pretrainingOperations(
  shape: Windows & Pick<SaneShape, 'projection_dim'>,
  rows: number,
): number {
  const { token_size, d_model, latent_dim, window, projection_dim: head } = shape;
  const encoder = encoderOperations(shape, rows);
  // The decoder is the encoder's mirror image.
  const decoder = encoder;
  const projection = dense(rows, window * latent_dim, head) + dense(rows, head, head);
  return 3 * (encoder + decoder + projection) - dense(rows * window, token_size, d_model);
}

/** A training step of a chain of layers on `batch` images: forward, and backward as above. */
export function trainingOperations(
  { layers, input }: Pick<Architecture, 'layers' | 'input'>,
  batch: number,
): number {
  let [height, width] = input;
  let total = 0;
  let first: number | undefined;
  for (const layer of layers) {
    if (layer.kind === 'max-pool') [height, width] = [height >> 1, width >> 1];
    if (layer.kind !== 'conv2d' && layer.kind !== 'linear') continue;
    let operations = dense(batch, layer.inputs, layer.outputs);
    if (layer.kind === 'conv2d') {
      [height, width] = [height - layer.kernel + 1, width - layer.kernel + 1];
      operations *= layer.kernel ** 2 * height * width;
    }
    first ??= operations;
    total += operations;
  }
  return 3 * total - (first ?? 0);
}

/** A training step of a residual network on `batch` images. */
export function residualTrainingOperations(net: Resnet, batch: number): number {
  let [height, width] = net.input;
  const convolution = ({ inputs, outputs, kernel }: NormalizedConv) =>
    kernel ** 2 * height * width * dense(batch, inputs, outputs);
  const first = convolution(net.stem);
  let total = first + dense(batch, net.features, net.classes);
  for (const { convs, downsample } of net.residuals) {
    for (const conv of convs) {
      [height, width] = [Math.ceil(height / conv.stride), Math.ceil(width / conv.stride)];
      total += convolution(conv);
    }
    // Its output has the size of the block's.
    if (downsample) total += convolution(downsample);
  }
  return 3 * total - first;
}
