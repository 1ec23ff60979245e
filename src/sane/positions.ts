/** Positions of tokens as the models want them. */
import { tf } from '../tensor/tf.ts';

/** The three position indices of windows, each int32 of [rows x window] numbers. */
export type Positions = readonly [tf.Tensor1D, tf.Tensor1D, tf.Tensor1D];

/** Positions [rows, window, 3] as the three index tensors that the model wants. */
export function positionTensors(positions: Int32Array): Positions {
  const column = (k: number) =>
    tf.tensor1d(
      Int32Array.from({ length: positions.length / 3 }, (_, i) => positions[3 * i + k] as number),
      'int32',
    );
  return [column(0), column(1), column(2)];
}
