/** How well models are reconstructed (equation 5), without training on them. */

import type { SaneSettings } from '../experiment/types.ts';
import { tf } from '../tensor/tf.ts';
import type { Autoencoder } from './autoencoder.ts';
import { explainedVariance, type LossSettings, reconstructionLoss } from './loss.ts';
import { positionTensors } from './positions.ts';
import type { ViewRequest } from './view-thread.ts';
import { type TwoViews, viewSettings } from './views.ts';

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
  /** A set of the loader, and how many samples it has. */
  set: string;
  samples: number;
  /** Models as they are given, or with their hidden units in a random order. */
  view: SaneSettings['view_1'];
  /** Names the stream that windows and orders are drawn from. */
  purpose: string;
}

type EvaluationSettings = Parameters<typeof viewSettings>[0] & Pick<SaneSettings, 'batch_size'>;

/** The batches that `evaluate` looks at: a window of each model, without noise. */
export function* evaluationRequests(
  { block }: Autoencoder,
  { set, samples, view, purpose }: Evaluation,
  config: EvaluationSettings,
): Generator<ViewRequest> {
  const { batch_size, seed } = config;
  const settings = { ...viewSettings(config), noise: 0, view_1: view, view_2: view };
  for (let start = 0; start < samples; start += batch_size) {
    const length = Math.min(batch_size, samples - start);
    const batch = Int32Array.from({ length }, (_, i) => start + i);
    yield { set, samples: batch, settings, random: [seed, block, purpose, start] };
  }
}

/**
 * Reconstruction loss and explained variance, averaged over the models. `views` gives those of the evaluation's requests next, and
 * may give others after them.
 */
export async function evaluate(
  model: Autoencoder,
  { samples }: Pick<Evaluation, 'samples'>,
  views: AsyncIterator<TwoViews, void>,
  config: LossSettings & Pick<SaneSettings, 'token_size'>,
): Promise<{ loss: number; variance: number }> {
  let loss = 0;
  let variance = 0;
  for (let seen = 0; seen < samples; ) {
    const { rows, window, ...both } = await nextViews(views);
    const half = both.tokens.length / 2;
    // One view is enough.
    const one: TwoViews = {
      rows: rows / 2,
      window,
      tokens: both.tokens.subarray(0, half),
      mask: both.mask.subarray(0, half),
      positions: both.positions.subarray(0, both.positions.length / 2),
    };
    const [error, output] = tf.tidy(() => {
      const { tokens, mask, positions } = viewTensors(one, config.token_size);
      const output = model.decode(model.encode(tokens, positions), positions);
      return [reconstructionLoss(tokens, output, mask, config), output] as const;
    });
    loss += ((await error.data())[0] as number) * one.rows;
    const decoded = await output.data<'float32'>();
    variance += explainedVariance(one.tokens, decoded, one.mask) * one.rows;
    tf.dispose([error, output]);
    seen += one.rows;
  }
  return { loss: loss / samples, variance: variance / samples };
}

/** The next batch, which must be there. */
export async function nextViews(views: AsyncIterator<TwoViews, void>): Promise<TwoViews> {
  const { value, done } = await views.next();
  if (done) throw new Error('fewer batches were requested than are looked at');
  return value;
}
