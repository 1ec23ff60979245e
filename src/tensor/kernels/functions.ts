/** The functions of the C library, as bun:ffi calls them. Each is described at its definition in C. */
import type { dlopen } from 'bun:ffi';

const unary = { args: ['ptr', 'ptr', 'i32', 'f32'], returns: 'void' } as const;
const binary = { args: ['ptr', 'ptr', 'ptr', 'ptr', 'i32', 'i32'], returns: 'void' } as const;
const cast = { args: ['ptr', 'ptr', 'i32'], returns: 'void' } as const;
const rows = ['ptr', 'ptr', 'ptr', 'i32', 'i32', 'i32'] as const;
const sizes = ['i32', 'i32', 'i32', 'i32'] as const;

export const functions = {
  set_threads: { args: ['i32'], returns: 'i32' },
  use_tiles: { args: ['i32'], returns: 'i32' },

  unary_exp: unary,
  unary_log: unary,
  unary_sqrt: unary,
  unary_rsqrt: unary,
  unary_tanh: unary,
  unary_sigmoid: unary,
  unary_erf: unary,
  unary_relu: unary,
  unary_neg: unary,
  unary_square: unary,
  unary_abs: unary,
  unary_reciprocal: unary,
  unary_step: unary,
  unary_leaky_relu: unary,
  unary_gelu: unary,
  gelu_grad: { args: ['ptr', 'ptr', 'ptr', 'i32'], returns: 'void' },
  masked_squares: { args: ['ptr', 'ptr', 'ptr', 'ptr', 'i32'], returns: 'void' },
  masked_squares_grad: { args: ['ptr', 'ptr', 'ptr', 'ptr', 'ptr', 'i32'], returns: 'void' },

  binary_add: binary,
  binary_sub: binary,
  binary_multiply: binary,
  binary_divide: binary,
  binary_maximum: binary,
  binary_minimum: binary,
  binary_squared_difference: binary,
  binary_greater: binary,
  binary_greater_equal: binary,
  binary_less: binary,
  binary_less_equal: binary,
  binary_equal: binary,
  binary_not_equal: binary,

  cast_bool_float32: cast,
  cast_int32_float32: cast,
  cast_float32_bool: cast,
  select_where: { args: ['ptr', 'ptr', 'ptr', 'ptr', 'i32'], returns: 'void' },
  fill: { args: ['ptr', 'i32', 'f32'], returns: 'void' },

  reduce: { args: ['ptr', 'ptr', 'i32', 'i32', 'i32', 'f32', 'i32'], returns: 'void' },
  softmax: { args: ['ptr', 'ptr', 'i32', 'i32'], returns: 'void' },

  copy_strided: { args: ['ptr', 'ptr', 'ptr', 'i32', 'i32'], returns: 'void' },
  gather_rows: { args: rows, returns: 'i32' },
  scatter_add_rows: { args: rows, returns: 'void' },

  batch_matmul: { args: ['ptr', 'ptr', 'ptr', 'ptr', 'ptr', ...sizes, 'i32', 'i32'], returns: 'void' },
  linear: { args: ['ptr', 'ptr', 'ptr', 'ptr', 'i32', 'i32', 'i32'], returns: 'void' },
  linear_grad: { args: ['ptr', 'ptr', 'ptr', 'ptr', 'ptr', 'ptr', 'i32', 'i32', 'i32'], returns: 'void' },

  layer_norm: { args: ['ptr', 'ptr', 'ptr', 'ptr', 'ptr', 'ptr', 'i32', 'i32', 'f32'], returns: 'void' },
  layer_norm_grad: {
    args: ['ptr', 'ptr', 'ptr', 'ptr', 'ptr', 'ptr', 'ptr', 'ptr', 'ptr', 'i32', 'i32'],
    returns: 'void',
  },
  batch_norm: {
    args: ['ptr', 'ptr', 'ptr', 'ptr', 'ptr', 'ptr', 'ptr', 'i32', 'i32', 'f32', 'i32'],
    returns: 'void',
  },
  batch_norm_grad: {
    args: [
      ...(['ptr', 'ptr', 'ptr', 'ptr', 'ptr', 'ptr'] as const),
      ...(['ptr', 'ptr', 'ptr', 'ptr'] as const),
      'i32',
      'i32',
      'f32',
      'i32',
    ],
    returns: 'void',
  },
  attention: { args: ['ptr', 'ptr', 'ptr', ...sizes], returns: 'void' },
  attention_grad: { args: ['ptr', 'ptr', 'ptr', 'ptr', ...sizes], returns: 'void' },
  transformer_block: {
    args: [
      ...(['ptr', 'ptr', 'ptr', 'ptr', 'ptr', 'ptr', 'ptr', 'ptr', 'ptr'] as const),
      ...([...sizes, 'i32', 'f32'] as const),
    ],
    returns: 'void',
  },
  transformer_block_grad: {
    args: [
      ...(['ptr', 'ptr', 'ptr', 'ptr', 'ptr', 'ptr', 'ptr', 'ptr', 'ptr', 'ptr'] as const),
      ...(['ptr', 'ptr', 'ptr', 'ptr', 'ptr', 'ptr', 'ptr', ...sizes, 'i32'] as const),
    ],
    returns: 'void',
  },

  conv2d: { args: ['ptr', 'ptr', 'ptr', 'ptr', 'ptr'], returns: 'void' },
  conv2d_filter_grad: { args: ['ptr', 'ptr', 'ptr', 'ptr'], returns: 'void' },
  conv2d_input_grad: { args: ['ptr', 'ptr', 'ptr', 'ptr'], returns: 'void' },
  conv2d_bias_grad: { args: ['ptr', 'ptr', 'ptr'], returns: 'void' },
  max_pool: { args: ['ptr', 'ptr', 'ptr'], returns: 'void' },
  max_pool_grad: { args: ['ptr', 'ptr', 'ptr', 'ptr'], returns: 'void' },

  population_gradients: {
    args: [
      ...(['ptr', 'i32', 'i32', 'i32', 'ptr', 'ptr', 'ptr', 'ptr', 'ptr', 'ptr'] as const),
      ...(['i32', 'ptr', 'ptr', 'ptr'] as const),
    ],
    returns: 'void',
  },
  population_scores: {
    args: ['ptr', 'i32', 'i32', 'i32', 'ptr', 'ptr', 'ptr', 'ptr', 'ptr'],
    returns: 'void',
  },
  population_logits: { args: ['ptr', 'i32', 'i32', 'i32', 'ptr', 'ptr', 'ptr'], returns: 'void' },
  population_logits_grad: {
    args: ['ptr', 'i32', 'i32', 'i32', 'ptr', 'ptr', 'ptr', 'ptr'],
    returns: 'void',
  },

  adam: {
    args: [
      ...(['i32', 'i32', 'ptr', 'ptr', 'ptr', 'ptr', 'ptr', 'i32'] as const),
      ...(['f64', 'f64', 'f64', 'f64', 'f64'] as const),
    ],
    returns: 'void',
  },
  sgd: { args: ['i32', 'i32', 'ptr', 'ptr', 'ptr', 'ptr', 'ptr', 'f64'], returns: 'void' },
} as const;

/** The functions as a device calls them: those of bun:ffi, or of WebAssembly with the same interface. */
export type Library = ReturnType<typeof dlopen<typeof functions>>['symbols'];
