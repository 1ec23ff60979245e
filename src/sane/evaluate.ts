/** How well models are reconstructed (equation 5), without training on them. */
import { Random } from '../engine/random.ts';
import { tf } from '../engine/tf.ts';
import type { SaneSettings } from '../experiment/types.ts';
import type { Architecture } from '../nets/architecture.ts';
import type { Autoencoder } from './autoencoder.ts';
import { explainedVariance, reconstructionLoss } from './loss.ts';
import { positionTensors } from './positions.ts';
import type { TokenLayout } from './tokenize.ts';
import { drawViews, type TwoViews } from './views.ts';

/** Views as tensors. Call inside tf.tidy. */
export function viewTensors({ rows, window, tokens, mask, positions }: TwoViews, tokenSize: number) {
  const shape: [number, number, number] = [rows, window, tokenSize];
  return {
    tokens: tf.tensor3d(tokens, shape),
    mask: tf.tensor3d(mask, shape),
    positions: positionTensors(positions),
  };
}

export interface Evaluation {
  architecture: Architecture;
  layout: TokenLayout;
  /** Standardised flat vectors. */
  models: readonly Float32Array[];
  /** Models as they are given, or with their hidden units in a random order. */
  view: SaneSettings['view_1'];
  /** Names the stream that windows and orders are drawn from. */
  purpose: string;
}

/** Reconstruction loss and explained variance of a window of each model, without noise, averaged over the models. */
export async function evaluate(
  model: Autoencoder,
  { architecture, layout, models, view, purpose }: Evaluation,
  config: Pick<SaneSettings, 'window' | 'batch_size' | 'padding_in_loss'> & { seed: number },
): Promise<{ loss: number; variance: number }> {
  const settings = { window: config.window, noise: 0, view_1: view, view_2: view };
  let loss = 0;
  let variance = 0;
  for (let start = 0; start < models.length; start += config.batch_size) {
    const batch = models.slice(start, start + config.batch_size);
    const random = new Random(config.seed, model.block, purpose, start);
    const views = drawViews(architecture, layout, batch, settings, random);
    const half = views.tokens.length / 2;
    // One view is enough.
    const one: TwoViews = {
      rows: batch.length,
      window: views.window,
      tokens: views.tokens.subarray(0, half),
      mask: views.mask.subarray(0, half),
      positions: views.positions.subarray(0, views.positions.length / 2),
    };
    const [error, output] = tf.tidy(() => {
      const { tokens, mask, positions } = viewTensors(one, layout.tokenSize);
      const output = model.decode(model.encode(tokens, positions), positions);
      return [reconstructionLoss(tokens, output, mask, config.padding_in_loss), output] as const;
    });
    loss += ((await error.data())[0] as number) * batch.length;
    const decoded = await output.data<'float32'>();
    variance += explainedVariance(one.tokens, decoded, one.mask) * batch.length;
    tf.dispose([error, output]);
  }
  return { loss: loss / models.length, variance: variance / models.length };
}
