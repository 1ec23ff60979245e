/** Of each ONNX operator that has one, the counterpart in layers. */
import { FormatError } from '../../base/source.ts';
import type { WrittenLayer } from '../written.ts';
import { attributesOf, type Constant, float, integer, integers } from './constants.ts';
import type { NodeProto } from './onnx_pb.ts';
import type { Value } from './structure.ts';

/** What a node needs to know of the graph. */
export interface Operands {
  node: NodeProto;
  /** The first input. */
  x: Value;
  /** The i-th input, which must be the same for all images; undefined where it is left out. */
  constant(i: number): Constant | undefined;
  /** Takes a weight or bias of a layer into the state under PyTorch's name, such as `conv1.weight`. */
  keep(name: string, shape: number[], numbers: () => ArrayLike<number>): void;
  /** The name of the node's module, from that of its weight if that has one. */
  module(weight: Constant): string;
  /** Says something that people should know. */
  note(text: string): void;
}

/** An error that names the operator and the node. */
export function without(
  { opType, name, output }: NodeProto,
  why = 'no counterpart in the layers here',
): FormatError {
  return new FormatError(`the operator ${opType} (node ${name || output[0]}) has ${why}`);
}

const activation = (
  name: Extract<WrittenLayer, { kind: 'activation' }>['function'],
  slope?: number,
): WrittenLayer[] => [
  { kind: 'activation', ...(name && { function: name }), ...(slope !== undefined && { slope }) },
];

/** The layers of a node, none where it changes nothing. Throws a FormatError naming it where they cannot do what it does. */
export const operators: Record<string, (operands: Operands) => WrittenLayer[]> = {
  Conv: convolution,
  Gemm: (operands) => {
    const { node } = operands;
    if (float(node, 'alpha', 1) !== 1 || float(node, 'beta', 1) !== 1 || integer(node, 'transA', 0) !== 0) {
      throw without(node, 'factors or a transposed input, which have no counterpart in the layers here');
    }
    return dense(operands, integer(node, 'transB', 0) === 1);
  },
  MatMul: (operands) => dense(operands, false),
  BatchNormalization: (operands) => {
    const { node, x } = operands;
    const parts = [1, 2, 3, 4].map((i) => needed(operands, i));
    const name = operands.module(parts[0] as Constant);
    for (const [i, part] of ['weight', 'bias', 'running_mean', 'running_var'].entries()) {
      const { shape, numbers } = parts[i] as Constant;
      if (shape.join() !== String(x.size[2]))
        throw without(node, `tensors of [${shape}] for ${x.size[2]} channels`);
      operands.keep(`${name}.${part}`, shape, numbers);
    }
    return [{ kind: 'batch-norm', name, ...epsilonOf(node) }];
  },
  LayerNormalization: (operands) => {
    const { node, x } = operands;
    const axis = integer(node, 'axis', -1);
    if (x.rank !== 2 || (axis !== -1 && axis !== 1))
      throw without(node, 'no counterpart here but on vectors');
    const [gain, bias] = [needed(operands, 1), operands.constant(2)];
    const name = operands.module(gain);
    operands.keep(`${name}.weight`, gain.shape, gain.numbers);
    operands.keep(
      `${name}.bias`,
      gain.shape,
      bias ? bias.numbers : () => new Float32Array(gain.shape[0] as number),
    );
    return [{ kind: 'layer-norm', name, ...epsilonOf(node) }];
  },
  MaxPool: (operands) => pooling('max-pool', operands),
  AveragePool: (operands) => {
    const { node } = operands;
    const padded = integers(node, 'pads', []).some((pad) => pad !== 0);
    if (padded && integer(node, 'count_include_pad', 0) === 0) {
      throw without(node, 'means that leave padding out, which have no counterpart in the layers here');
    }
    return pooling('average-pool', operands);
  },
  GlobalAveragePool: () => [{ kind: 'global-average-pool' }],
  ReduceMean: (operands) => {
    const { node, x } = operands;
    const given = operands.constant(1)?.numbers();
    const axes = (given ? Array.from(given) : integers(node, 'axes', [])).map((axis) =>
      axis < 0 ? axis + x.rank : axis,
    );
    if (x.rank !== 4 || axes.sort().join() !== '2,3')
      throw without(node, 'no counterpart here but over height and width');
    return [{ kind: 'global-average-pool' }];
  },
  Flatten: ({ node, x }) => {
    if (integer(node, 'axis', 1) !== 1) throw without(node, 'another axis than 1');
    return flat(x);
  },
  Reshape: (operands) => {
    const { node, x } = operands;
    const shape = Array.from(needed(operands, 1).numbers());
    const total = x.size[0] * x.size[1] * x.size[2];
    if (shape.length !== 2 || (shape[1] !== -1 && shape[1] !== total))
      throw without(node, 'no counterpart here but to vectors');
    return flat(x);
  },
  Squeeze: ({ node, x }) => {
    if (x.size[0] * x.size[1] !== 1) throw without(node);
    return [];
  },
  Dropout: ({ note }) => {
    note('dropout has the rate of zoo.dropout, not the one of the file');
    return [{ kind: 'dropout' }];
  },
  Identity: () => [],
  Cast: () => [],
  Relu: () => activation('relu'),
  Tanh: () => activation('tanh'),
  Sigmoid: () => activation('sigmoid'),
  HardSwish: () => activation('hardswish'),
  Swish: ({ node }) => {
    if (float(node, 'alpha', 1) !== 1) throw without(node, 'an alpha other than 1');
    return activation('silu');
  },
  LeakyRelu: ({ node }) => activation('leaky-relu', float(node, 'alpha', 0.01)),
  Elu: ({ node }) => {
    if (float(node, 'alpha', 1) !== 1) throw without(node, 'an alpha other than 1');
    return activation('elu');
  },
  Gelu: ({ node }) => {
    const approximate = attributesOf(node).get('approximate');
    if (approximate && new TextDecoder().decode(approximate.s) !== 'none')
      throw without(node, 'an approximation of GELU');
    return activation('gelu');
  },
  Clip: (operands) => {
    const { node } = operands;
    const bound = (i: number, name: string) => {
      const given = operands.constant(i)?.numbers()[0];
      return given ?? attributesOf(node).get(name)?.f;
    };
    const [least, most] = [bound(1, 'min'), bound(2, 'max')];
    if (least === 0 && most === 6) return activation('relu6');
    if (least === 0 && (most === undefined || most > 3e38)) return activation('relu');
    throw without(node, `bounds of ${least} and ${most}, which have no counterpart in the layers here`);
  },
};

const epsilonOf = (node: NodeProto) => {
  const epsilon = float(node, 'epsilon', 1e-5);
  return epsilon === 1e-5 ? {} : { epsilon };
};

/** A feature map as a vector; a vector is one already. */
const flat = ({ rank, size }: Value): WrittenLayer[] =>
  rank === 2 || size[0] * size[1] === 1 ? [] : [{ kind: 'flatten' }];

function needed({ node, constant }: Operands, i: number): Constant {
  const found = constant(i);
  if (found) return found;
  throw without(
    node,
    `an input ${node.input[i] ?? i} that depends on the image, which has no counterpart in the layers here`,
  );
}

function convolution(operands: Operands): WrittenLayer[] {
  const { node, x } = operands;
  const weight = needed(operands, 1);
  const [outputs, seen, ...window] = weight.shape as [number, number, ...number[]];
  if (x.rank !== 4 || window.length !== 2) throw without(node, 'no counterpart here but on images');
  const groups = integer(node, 'group', 1);
  if (seen * groups !== x.size[2])
    throw without(node, `weights for ${seen * groups} channels, and gets ${x.size[2]}`);
  const { kernel, stride, padding } = windows(node, window);
  const dilation = equal(node, 'dilations', [1, 1]);
  const bias = biasOf(operands);
  const name = operands.module(weight);
  operands.keep(`${name}.weight`, weight.shape, weight.numbers);
  if (bias) operands.keep(`${name}.bias`, [outputs], bias.numbers);
  return [
    {
      ...{ kind: 'conv2d', name, outputs, kernel },
      ...(stride !== 1 && { stride }),
      ...(padding !== 0 && { padding }),
      ...(dilation !== 1 && { dilation }),
      ...(groups !== 1 && { groups }),
      ...(!bias && { bias: false }),
    },
  ];
}

/** A bias that the file holds. One of zeros that exporters compute, because they want one, is none. */
function biasOf(operands: Operands): Constant | undefined {
  if (!operands.node.input[2]) return undefined;
  const bias = needed(operands, 2);
  return bias.stored === undefined && Array.from(bias.numbers()).every((x) => x === 0) ? undefined : bias;
}

function dense(operands: Operands, outputsFirst: boolean): WrittenLayer[] {
  const { node, x } = operands;
  const weight = needed(operands, 1);
  if (x.rank !== 2 || weight.shape.length !== 2) throw without(node, 'no counterpart here but on vectors');
  const [rows, columns] = weight.shape as [number, number];
  const [outputs, inputs] = outputsFirst ? [rows, columns] : [columns, rows];
  if (inputs !== x.size[2]) throw without(node, `weights for ${inputs} numbers, and gets ${x.size[2]}`);
  const name = operands.module(weight);
  operands.keep(`${name}.weight`, [outputs, inputs], () => {
    const given = weight.numbers();
    if (outputsFirst) return given;
    return Float32Array.from(
      { length: given.length },
      (_, i) => given[(i % inputs) * outputs + Math.floor(i / inputs)] as number,
    );
  });
  const bias = node.opType === 'Gemm' ? biasOf(operands) : undefined;
  if (bias) operands.keep(`${name}.bias`, [outputs], bias.numbers);
  return [{ kind: 'linear', name, outputs, ...(!bias && { bias: false }) }];
}

/** The numbers of an attribute for both sides of the image, which must be the same. */
function equal(node: NodeProto, name: string, otherwise: readonly number[]): number {
  const [first, ...rest] = integers(node, name, otherwise);
  if (first === undefined || rest.some((number) => number !== first)) {
    throw without(node, `${name} of [${[first, ...rest]}], and here they are the same on all sides`);
  }
  return first;
}

function windows(node: NodeProto, shape: readonly number[]) {
  const auto = attributesOf(node).get('auto_pad');
  if (auto && !['NOTSET', 'VALID'].includes(new TextDecoder().decode(auto.s))) {
    throw without(node, 'auto_pad, which has no counterpart here: export with padding in numbers');
  }
  return {
    kernel: equal(node, 'kernel_shape', shape),
    stride: equal(node, 'strides', [1, 1]),
    padding: equal(node, 'pads', [0, 0, 0, 0]),
  };
}

function pooling(kind: 'max-pool' | 'average-pool', { node, x }: Operands): WrittenLayer[] {
  if (x.rank !== 4 || node.output.length > 1) throw without(node, 'no counterpart here but on images');
  const { kernel, stride, padding } = windows(node, []);
  if (equal(node, 'dilations', [1, 1]) !== 1)
    throw without(node, 'dilations, which have no counterpart in the layers here');
  const [height, width] = x.size;
  const left = (side: number) => (side + 2 * padding - kernel) % stride;
  if (integer(node, 'ceil_mode', 0) === 1 && left(height) + left(width) > 0) {
    throw without(node, 'ceil_mode, which has no counterpart here: windows that do not fit are left out');
  }
  if (kernel === 1 && stride === 1) return [];
  return [{ ...{ kind, kernel }, ...(stride !== kernel && { stride }), ...(padding !== 0 && { padding }) }];
}
