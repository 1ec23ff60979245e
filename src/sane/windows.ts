/** Whole models through an encoder or decoder that sees a window at a time, with context on both sides (haloing, Algorithm 2). */
import { tf } from '../tensor/tf.ts';
import { type Positions, positionTensors } from './positions.ts';

/**
 * Windows per forward pass, and pairs of tokens within them: on some devices attention takes a number for each in every head. The result does
 * not depend on either.
 */
const batchRows = 32;
const batchPairs = 2 ** 24;

/** A run of tokens that is kept, inside the run that is seen. */
export interface Snippet {
  /** First token seen; every snippet has the same number of tokens. */
  start: number;
  /** First token kept and one past the last, in the model. */
  keep: [number, number];
}

/**
 * Cuts `tokens` into runs of at most `window - 2 halo` kept tokens, each seen in a window clamped to the model's ends. A model
 * that fits in one window is one snippet.
 */
export function snippets(tokens: number, window: number, halo: number): Snippet[] {
  if (tokens <= window) return [{ start: 0, keep: [0, tokens] }];
  const content = window - 2 * halo;
  if (content < 1)
    throw new RangeError(`a halo of ${halo} on both sides leaves nothing of a window of ${window}`);
  return Array.from({ length: Math.ceil(tokens / content) }, (_, i) => ({
    start: Math.min(Math.max(0, i * content - halo), tokens - window),
    keep: [i * content, Math.min(tokens, (i + 1) * content)],
  }));
}

export interface WindowSettings {
  /** [tokens, 3], the same for every model. */
  positions: Int32Array;
  /** Tokens that are seen at once. */
  window: number;
  /** Context tokens on each side of a window, dropped afterwards. */
  halo: number;
  /** Numbers of a token before and after. */
  width: { from: number; to: number };
}

/**
 * Maps models given as [tokens, width.from] to [tokens, width.to], one after the other and a few at a time, so that memory is
 * bounded by the batch and not by the models.
 */
export async function* mapWindows(
  models: Iterable<Float32Array>,
  { positions, window: trained, halo, width }: WindowSettings,
  transform: (x: tf.Tensor3D, positions: Positions) => tf.Tensor3D,
): AsyncGenerator<Float32Array> {
  const tokens = positions.length / 3;
  const window = Math.min(trained, tokens);
  const plan = snippets(tokens, window, halo);
  const rowsTogether = Math.max(1, Math.min(batchRows, Math.floor(batchPairs / window ** 2)));
  const modelsPerBatch = Math.max(1, Math.floor(rowsTogether / plan.length));

  const map = async (batch: readonly Float32Array[]): Promise<Float32Array[]> => {
    const results = batch.map(() => new Float32Array(tokens * width.to));
    const jobs = batch.flatMap((model, m) => plan.map((snippet) => ({ model, m, snippet })));
    for (let first = 0; first < jobs.length; first += rowsTogether) {
      const rows = jobs.slice(first, first + rowsTogether);
      const mapped = tf.tidy(() => {
        const x = new Float32Array(rows.length * window * width.from);
        const p = new Int32Array(rows.length * window * 3);
        for (const [row, { model, snippet }] of rows.entries()) {
          const end = snippet.start + window;
          x.set(model.subarray(snippet.start * width.from, end * width.from), row * window * width.from);
          p.set(positions.subarray(snippet.start * 3, end * 3), row * window * 3);
        }
        return transform(tf.tensor3d(x, [rows.length, window, width.from]), positionTensors(p));
      });
      const y = await mapped.data<'float32'>();
      mapped.dispose();
      for (const [row, { m, snippet }] of rows.entries()) {
        const from = (row * window + snippet.keep[0] - snippet.start) * width.to;
        const length = (snippet.keep[1] - snippet.keep[0]) * width.to;
        (results[m] as Float32Array).set(y.subarray(from, from + length), snippet.keep[0] * width.to);
      }
    }
    return results;
  };

  let batch: Float32Array[] = [];
  for (const model of models) {
    batch.push(model);
    if (batch.length === modelsPerBatch) {
      yield* await map(batch);
      batch = [];
    }
  }
  if (batch.length > 0) yield* await map(batch);
}

/** A quarter of the window as context on each side, as in the authors' released sampling. */
export const defaultHalo = (window: number) => Math.floor(window / 4);
