/**
 * The behaviour loss of Meynent et al. (2025), "Structure Is Not Enough: Leveraging Behavior for Neural Network Weight
 * Reconstruction": decoded networks are compared with the originals by what they answer, not by their weights.
 */

import type { Random } from '../base/random.ts';
import { sizeOf } from '../base/shape.ts';
import type { Architecture } from '../nets/architecture.ts';
import type { Network } from '../nets/population.ts';
import { differentiableLogits } from '../nets/population-logits.ts';
import { differentiable } from '../tensor/differentiable.ts';
import { tf } from '../tensor/tf.ts';
import type { Standardization } from './standardize.ts';
import type { TokenLayout } from './tokenize.ts';

/** How networks that are given as windows of tokens, each the whole of one, are made into weights. */
export interface TokenizedNetworks {
  architecture: Pick<Architecture, 'name' | 'state'>;
  layout: TokenLayout;
  /** What their tokens are standardised by; null: nothing. */
  standardization: Standardization | null;
}

/** What the answers of networks are compared on. */
export interface Questions extends Omit<TokenizedNetworks, 'architecture'> {
  network: Network;
  /** [N, H, W, C], normalised. */
  images: tf.Tensor4D;
  /** How many of the images are drawn, anew for each batch. */
  queries: number;
}

/**
 * The loss of a batch, a scalar: the mean square of the difference between the class probabilities (softmax) of decoded networks and of those that
 * they are decoded from, over networks, images and classes: `l2` of the released code, with which its authors swept beta. Both are tokens
 * [rows, window, token_size] of whole networks; the gradient is for the decoded ones.
 */
export type BehaviourLoss = (target: tf.Tensor3D, output: tf.Tensor3D, random: Random) => tf.Scalar;

/** The behaviour loss on these images, which the caller owns. Throws if something of a network is in no token. */
export function behaviourLoss(questions: Questions): BehaviourLoss {
  const { network, images, queries } = questions;
  const tokenized = { ...questions, architecture: network.architecture };
  return (target, output, random) => {
    const drawn = Int32Array.from({ length: queries }, () => random.integer(images.shape[0]));
    const asked = tf.gather(images, tf.tensor1d(drawn, 'int32'));
    const [wanted, given] = [target, output].map((tokens) =>
      tf.softmax(differentiableLogits(network, networksOf(tokenized, tokens), asked)),
    ) as [tf.Tensor, tf.Tensor];
    return tf.mean(tf.square(tf.sub(given, wanted)));
  };
}

/**
 * Weights by name, each [rows, ...shape], of networks given as tokens [rows, window, token_size], with gradients: un-tokenised and
 * destandardised.
 */
export function networksOf(
  { architecture: { name, state }, layout, standardization }: TokenizedNetworks,
  tokens: tf.Tensor3D,
): Map<string, tf.Tensor> {
  const [rows, window] = tokens.shape;
  if (window !== layout.tokens || layout.untokenized.length > 0) {
    throw new Error(`${name}: its tokens are not the whole network`);
  }
  const flat = numbersOf(layout, tokens);
  const scaled = standardization === null ? flat : scaledBack(layout, standardization, flat);
  const parts = tf.split(
    scaled,
    state.map(({ shape }) => sizeOf(shape)),
    1,
  );
  return new Map(
    state.map(({ name, shape }, i) => [name, (parts[i] as tf.Tensor).reshape([rows, ...shape])]),
  );
}

/** The flat vectors [rows, numbers] of tokens. Both ways are look-ups: each number has one place in the tokens. */
function numbersOf({ source, numbers }: TokenLayout, tokens: tf.Tensor3D): tf.Tensor2D {
  const rows = tokens.shape[0];
  return differentiable(
    [tokens],
    () => {
      const places = new Int32Array(numbers);
      for (const [place, number] of source.entries()) if (number >= 0) places[number] = place;
      return { value: tf.gather(tokens.reshape([rows, -1]), tf.tensor1d(places, 'int32'), 1), saved: [] };
    },
    (dy) => {
      // Nothing depends on padding: its gradient is the zero after the numbers.
      const places = source.map((number) => (number < 0 ? numbers : number));
      const padded = tf.concat([dy, tf.zeros([rows, 1])], 1);
      return [tf.gather(padded, tf.tensor1d(places, 'int32'), 1).reshape(tokens.shape)];
    },
  ) as tf.Tensor2D;
}

/** w = x sd + mean, layer by layer. */
function scaledBack(
  { layers, numbers }: TokenLayout,
  standardization: Standardization,
  flat: tf.Tensor2D,
): tf.Tensor2D {
  const [means, deviations] = [new Float32Array(numbers), new Float32Array(numbers)];
  for (const { name, weight, bias } of layers) {
    const { mean, sd } = standardization[name] as Standardization[string];
    for (const { start, length } of bias ? [weight, bias] : [weight]) {
      means.fill(mean, start, start + length);
      deviations.fill(sd, start, start + length);
    }
  }
  return tf.add(tf.mul(flat, tf.tensor1d(deviations)), tf.tensor1d(means));
}
