/** Functions of each number, and of pairs of numbers with broadcasting. */
import { sizeOf } from '../../../base/shape.ts';
import { tf } from '../../tf.ts';
import type { Library } from '../functions.ts';
import type { Inputs, NativeKernel, NativeKernels } from '../kernel.ts';
import { broadcastStrides, joinAxes } from '../strided.ts';

type FunctionWith<Prefix extends string> = Extract<keyof Library, `${Prefix}_${string}`>;

/** A kernel of x; `parameter` is the name of the attribute that the function takes as its parameter. */
export function unary(name: FunctionWith<'unary'>, parameter = ''): NativeKernel {
  return {
    run(inputs, backend, attributes) {
      const x = inputs.x as tf.TensorInfo;
      const y = backend.allocate(x.shape);
      const alpha = (attributes[parameter] as number | undefined) ?? 0;
      backend.library[name](backend.address(x), backend.address(y), sizeOf(x.shape), alpha);
      return y;
    },
  };
}

/** A kernel of a and b, which are broadcast. */
function binary(name: FunctionWith<'binary'>, dtype: 'float32' | 'bool'): NativeKernel {
  return {
    run(inputs, backend) {
      const { a, b } = inputs as Record<'a' | 'b', tf.TensorInfo>;
      const shape = tf.backend_util.assertAndGetBroadcastShape(a.shape, b.shape);
      const out = backend.allocate(shape, dtype);
      const count = sizeOf(shape);
      if (count === 0) return out;
      const { layout, rank } = layoutOf(a.shape, b.shape, shape, count);
      backend.library[name](
        ...([backend.address(a), backend.address(b), backend.address(out), layout, rank, count] as const),
      );
      return out;
    },
  };
}

function layoutOf(
  a: number[],
  b: number[],
  shape: number[],
  count: number,
): { layout: Int32Array; rank: number } {
  if (sizeOf(a) === count && sizeOf(b) === count) return { layout: Int32Array.of(count, 1, 1), rank: 1 };
  return joinAxes(shape, broadcastStrides(a, shape), broadcastStrides(b, shape), 1);
}

const select: NativeKernel = {
  accepts: ({ condition, t, e }: Inputs) =>
    t?.dtype === 'float32' && e?.dtype === 'float32' && condition?.shape.length === t.shape.length,
  run(inputs, backend) {
    const { condition, t, e } = inputs as Record<'condition' | 't' | 'e', tf.TensorInfo>;
    const y = backend.allocate(t.shape);
    backend.library.select_where(
      ...([backend.address(condition), backend.address(t), backend.address(e)] as const),
      ...([backend.address(y), sizeOf(t.shape)] as const),
    );
    return y;
  },
};

const casts: Record<string, FunctionWith<'cast'>> = {
  'bool float32': 'cast_bool_float32',
  'int32 float32': 'cast_int32_float32',
  'float32 bool': 'cast_float32_bool',
};

const cast: NativeKernel = {
  accepts: ({ x }, { dtype }) => x?.dtype === dtype || `${x?.dtype} ${dtype}` in casts,
  run({ x }, backend, { dtype }) {
    const input = x as tf.TensorInfo;
    const name = casts[`${input.dtype} ${dtype}`];
    if (!name) return backend.share(input);
    const y = backend.allocate(input.shape, dtype as 'float32' | 'bool');
    backend.library[name](backend.address(input), backend.address(y), sizeOf(input.shape));
    return y;
  },
};

const fill: NativeKernel = {
  accepts: (_, { value, dtype }) => typeof value === 'number' && (dtype === undefined || dtype === 'float32'),
  run(_, backend, attributes) {
    const { shape, value } = attributes as { shape: number[]; value: number };
    const y = backend.allocate(shape);
    backend.library.fill(backend.address(y), sizeOf(shape), value);
    return y;
  },
};

function filledLike(value: number): NativeKernel {
  return {
    run: ({ x }, backend) => fill.run({}, backend, { shape: (x as tf.TensorInfo).shape, value }),
  };
}

export const elementwise: NativeKernels = {
  Abs: unary('unary_abs'),
  Erf: unary('unary_erf'),
  Exp: unary('unary_exp'),
  LeakyRelu: unary('unary_leaky_relu', 'alpha'),
  Log: unary('unary_log'),
  Neg: unary('unary_neg'),
  Reciprocal: unary('unary_reciprocal'),
  Relu: unary('unary_relu'),
  Rsqrt: unary('unary_rsqrt'),
  Sigmoid: unary('unary_sigmoid'),
  Sqrt: unary('unary_sqrt'),
  Square: unary('unary_square'),
  Step: unary('unary_step', 'alpha'),
  Tanh: unary('unary_tanh'),

  Add: binary('binary_add', 'float32'),
  Sub: binary('binary_sub', 'float32'),
  Multiply: binary('binary_multiply', 'float32'),
  RealDiv: binary('binary_divide', 'float32'),
  Maximum: binary('binary_maximum', 'float32'),
  Minimum: binary('binary_minimum', 'float32'),
  SquaredDifference: binary('binary_squared_difference', 'float32'),
  Greater: binary('binary_greater', 'bool'),
  GreaterEqual: binary('binary_greater_equal', 'bool'),
  Less: binary('binary_less', 'bool'),
  LessEqual: binary('binary_less_equal', 'bool'),
  Equal: binary('binary_equal', 'bool'),
  NotEqual: binary('binary_not_equal', 'bool'),

  Cast: cast,
  Fill: fill,
  OnesLike: filledLike(1),
  Select: select,
  ZerosLike: filledLike(0),
};
