/** The autoencoders' parameters: names as PyTorch's modules have them, shapes, initialisation. Pure, so that they can be counted. */
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

export interface AutoencoderParameter {
  name: string;
  shape: number[];
  /** Whether weight decay applies: to matrices and embeddings, not to vectors. */
  decay: boolean;
  /** Normal of this standard deviation, or a constant. */
  init: { sd: number } | { constant: number };
}

/** Standard deviation of matrices, as GPT-2's initialisation has it. */
const usualSd = 0.02;

const matrix = (name: string, out: number, inputs: number, sd = usualSd): AutoencoderParameter => ({
  name: `${name}.weight`,
  shape: [out, inputs],
  decay: true,
  init: { sd },
});

const vector = (name: string, size: number, constant: number): AutoencoderParameter => ({
  name,
  shape: [size],
  decay: false,
  init: { constant },
});

/** Weight and bias of a linear map. */
export const affine = (name: string, out: number, inputs: number, sd = usualSd) => [
  matrix(name, out, inputs, sd),
  vector(`${name}.bias`, out, 0),
];

/** Gain and bias of a layer normalisation. */
export const norm = (name: string, size: number) => [
  vector(`${name}.weight`, size, 1),
  vector(`${name}.bias`, size, 0),
];

/** A stack of transformer blocks of width d. */
export function transformer(name: string, d: number, layers: number): AutoencoderParameter[] {
  // Outputs of residual branches start smaller, by the depth of one stack (GPT-2's initialisation).
  const residualSd = usualSd / Math.sqrt(2 * layers);
  return Array.from({ length: layers }, (_, i) => `${name}.transformer.${i}`).flatMap((block) => [
    vector(`${block}.ln_1.weight`, d, 1),
    matrix(`${block}.attn.c_attn`, 3 * d, d),
    matrix(`${block}.attn.c_proj`, d, d, residualSd),
    vector(`${block}.ln_2.weight`, d, 1),
    matrix(`${block}.mlp.c_fc`, 4 * d, d),
    matrix(`${block}.mlp.c_proj`, d, 4 * d, residualSd),
  ]);
}

/** The head that the contrastive loss sees embeddings of `inputs` numbers through. */
export const projectionHead = (head: number, inputs: number): AutoencoderParameter[] => [
  matrix('projection_head.head.0', head, inputs),
  ...norm('projection_head.head.1', head),
  matrix('projection_head.head.3', head, head),
  ...norm('projection_head.head.4', head),
];

/** Every parameter of SANE in PyTorch's order. */
export function saneParameters(shape: SaneShape): AutoencoderParameter[] {
  const { token_size: token, d_model: d, latent_dim: latent, layers, window, positions } = shape;
  return [
    ...affine('tokenizer', d, token),
    ...positions.map((size, i) => matrix(`pe.pe${i + 1}`, size, d / 2)),
    ...transformer('transformer_encoder', d, layers),
    ...affine('encoder_comp', latent, d),
    ...affine('decoder_comp', d, latent),
    ...transformer('transformer_decoder', d, layers),
    ...affine('detokenizer', token, d),
    ...projectionHead(shape.projection_dim, window * latent),
  ];
}
