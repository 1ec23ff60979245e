/**
 * Floating-point operations of the work: a multiply-add of a matrix product or a convolution counts two, everything
 * else (normalisation, softmax, activations, optimiser, losses) nothing. Products that an implementation computes twice count once.
 */

import { sizeOf } from '../base/shape.ts';
import type { SaneSettings } from '../experiment/types.ts';
import type { Architecture, ImageSize, Layer } from '../nets/architecture.ts';
import { outputSize } from '../nets/shapes.ts';

type Windows = Pick<SaneSettings, 'token_size' | 'd_model' | 'latent_dim' | 'layers' | 'window'>;

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
  shape: Windows & Pick<SaneSettings, 'projection_dim'>,
  rows: number,
): number {
  const { token_size, d_model, latent_dim, window, projection_dim: head } = shape;
  const encoder = encoderOperations(shape, rows);
  // The decoder is the encoder's mirror image.
  const decoder = encoder;
  const projection = dense(rows, window * latent_dim, head) + dense(rows, head, head);
  return 3 * (encoder + decoder + projection) - dense(rows * window, token_size, d_model);
}

/** A training step of a network on `batch` images: forward, and backward as above. */
export function trainingOperations(
  { layers, input }: Pick<Architecture, 'layers' | 'input'>,
  batch: number,
): number {
  const operations = multiplications(layers, input).map((count) => 2 * batch * count);
  return 3 * operations.reduce((a, b) => a + b, 0) - (operations[0] ?? 0);
}

/** A network on so many images, without training. */
export const forwardOperations = (
  { layers, input }: Pick<Architecture, 'layers' | 'input'>,
  images: number,
) => 2 * images * multiplications(layers, input).reduce((a, b) => a + b, 0);

/** How many operations of the kernels take as long as one of float64 in JavaScript, on one core. */
const javaScript = 30;

/** Sweeps over all layers in which a matching was seen to end. */
const sweeps = 10;

/** Operations of aligning one network: in each sweep, of each weight the products of all pairs of units. */
export const alignmentOperations = ({ state }: Pick<Architecture, 'state'>): number =>
  sweeps *
  state.reduce(
    (sum, { shape }) => sum + (shape.length > 1 ? 2 * (shape[0] as number) * sizeOf(shape) : 0),
    0,
  );

/** Operations of the spectra of one network's layers: a singular value decomposition for each place of a kernel. */
export const spectraOperations = ({ state }: Pick<Architecture, 'state'>): number =>
  javaScript *
  state.reduce((sum, { shape: [rows = 1, columns = 1, ...kernel] }) => {
    const [less, more] = [Math.min(rows, columns), Math.max(rows, columns)];
    return sum + (less > 1 ? 10 * less * less * more * sizeOf(kernel) : 0);
  }, 0);

/**
 * Operations of probes for a feature of so many numbers: the products of rows or columns, whichever are fewer, one factorisation, and what it
 * leaves to do for each target and strength.
 */
export function probeOperations(rows: number, width: number, solutions: number): number {
  const least = Math.min(rows, width);
  return javaScript * (least * rows * width + (4 / 3) * least ** 3 + solutions * 4 * least ** 2);
}

/** Of each layer with weights: the multiplications for one image of this size. */
function multiplications(layers: readonly Layer[], input: ImageSize): number[] {
  let size = input;
  return layers.flatMap((layer) => {
    const [before, after] = [size, outputSize(layer, size)];
    size = after;
    switch (layer.kind) {
      case 'conv2d':
        return [((layer.kernel ** 2 * layer.inputs) / (layer.groups ?? 1)) * after.reduce((a, b) => a * b)];
      case 'linear':
        return [layer.inputs * layer.outputs];
      case 'residual':
        return [layer.branch, layer.shortcut].flatMap((part) => multiplications(part, before));
      case 'concatenate':
        return layer.branches.flatMap((part) => multiplications(part, before));
      default:
        return [];
    }
  });
}
