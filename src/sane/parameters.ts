/** The autoencoder's parameters: names as PyTorch's modules have them, shapes, initialisation. Pure, so that they can be counted. */
import type { SaneSettings } from '../experiment/types.ts';

/** Sizes that decide the parameters. */
export interface SaneShape
  extends Pick<
    SaneSettings,
    'token_size' | 'd_model' | 'latent_dim' | 'layers' | 'heads' | 'projection_dim'
  > {
  /** Tokens per training window; the projection head sees all of them at once. */
  window: number;
  /** Sizes of the three position tables: tokens, layers, rows. */
  positions: readonly [number, number, number];
}

export interface SaneParameter {
  name: string;
  shape: number[];
  /** Whether weight decay applies: to matrices and embeddings, not to vectors. */
  decay: boolean;
  /** Normal of this standard deviation, or a constant. */
  init: { sd: number } | { constant: number };
}

/** Every parameter in PyTorch's order. */
export function saneParameters(shape: SaneShape): SaneParameter[] {
  const {
    token_size: token,
    d_model: d,
    latent_dim: latent,
    layers,
    window,
    positions,
    projection_dim: head,
  } = shape;
  const sd = 0.02;
  // Outputs of residual branches start smaller, by the depth of one stack (GPT-2's initialisation).
  const residualSd = sd / Math.sqrt(2 * layers);
  const matrix = (name: string, out: number, inputs: number, deviation = sd): SaneParameter => ({
    name: `${name}.weight`,
    shape: [out, inputs],
    decay: true,
    init: { sd: deviation },
  });
  const vector = (name: string, size: number, constant: number): SaneParameter => ({
    name,
    shape: [size],
    decay: false,
    init: { constant },
  });
  const affine = (name: string, out: number, inputs: number) => [
    matrix(name, out, inputs),
    vector(`${name}.bias`, out, 0),
  ];
  const stack = (name: string) =>
    Array.from({ length: layers }, (_, i) => `${name}.transformer.${i}`).flatMap((block) => [
      vector(`${block}.ln_1.weight`, d, 1),
      matrix(`${block}.attn.c_attn`, 3 * d, d),
      matrix(`${block}.attn.c_proj`, d, d, residualSd),
      vector(`${block}.ln_2.weight`, d, 1),
      matrix(`${block}.mlp.c_fc`, 4 * d, d),
      matrix(`${block}.mlp.c_proj`, d, 4 * d, residualSd),
    ]);
  return [
    ...affine('tokenizer', d, token),
    ...positions.map((size, i) => matrix(`pe.pe${i + 1}`, size, d / 2)),
    ...stack('transformer_encoder'),
    ...affine('encoder_comp', latent, d),
    ...affine('decoder_comp', d, latent),
    ...stack('transformer_decoder'),
    ...affine('detokenizer', token, d),
    matrix('projection_head.head.0', head, window * latent),
    vector('projection_head.head.1.weight', head, 1),
    vector('projection_head.head.1.bias', head, 0),
    matrix('projection_head.head.3', head, head),
    vector('projection_head.head.4.weight', head, 1),
    vector('projection_head.head.4.bias', head, 0),
  ];
}
