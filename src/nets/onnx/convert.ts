/**
 * A network of an ONNX file (what `torch.onnx.export` writes) as an architecture in layers, with its weights under the names of its
 * state dict. The file's schema is ONNX's own (onnx.proto).
 */
import { fromBinary } from '@bufbuild/protobuf';
import { FormatError } from '../../base/source.ts';
import type { ImageSize, ParameterSpec } from '../architecture.ts';
import { sizeBehind, type WrittenArchitecture, type WrittenLayer } from '../written.ts';
import { type Constant, type External, float, fold, integer, stored } from './constants.ts';
import { moduleName } from './names.ts';
import { type GraphProto, ModelProtoSchema, type NodeProto, type ValueInfoProto } from './onnx_pb.ts';
import { type Operands, operators, without } from './operators.ts';
import { layersTo, makeValue, type Value } from './structure.ts';

export interface Converted {
  architecture: WrittenArchitecture;
  /** The state's tensors, float32 in row-major order of PyTorch's shapes. */
  weights: (ParameterSpec & { data: Float32Array })[];
  /** What is not as in the file. */
  notes: string[];
}

/** Operators behind the last layer that leave the order of the classes as it is. */
const endings = new Set(['Softmax', 'LogSoftmax']);

/**
 * The architecture and weights of an ONNX file's bytes; `external` gives the files beside it that hold large tensors. Throws a FormatError
 * that names the operator and node where there is no counterpart.
 */
export function convertOnnx(bytes: Uint8Array, external: External): Converted {
  let graph: GraphProto | undefined;
  try {
    graph = fromBinary(ModelProtoSchema, plain(bytes)).graph;
  } catch {
    throw new FormatError('this is no ONNX file, or it is damaged');
  }
  if (!graph || graph.node.length === 0) throw new FormatError('this is no ONNX file: it has no graph');
  return new Conversion(graph, (location) => plain(external(location))).convert();
}

/** The same bytes as an array whose slices are copies, which a Buffer's are not. */
const plain = ({ buffer, byteOffset, byteLength }: Uint8Array) =>
  new Uint8Array(buffer, byteOffset, byteLength);

class Conversion {
  private readonly constants = new Map<string, Constant>();
  private readonly values = new Map<string, Value>();
  private readonly kept = new Map<string, { shape: number[]; numbers: () => ArrayLike<number> }>();
  private readonly concatenations: { parts: Value[]; value: Value }[] = [];
  private readonly notes = new Set<string>();

  constructor(
    private readonly graph: GraphProto,
    private readonly external: External,
  ) {
    for (const tensor of graph.initializer) this.constants.set(tensor.name, stored(tensor, external));
  }

  convert(): Converted {
    const { graph } = this;
    const inputs = graph.input.filter(({ name }) => !this.constants.has(name));
    const [input] = inputs;
    if (!input || inputs.length > 1 || graph.output.length !== 1) {
      throw new FormatError(
        `the network has ${inputs.length} inputs and ${graph.output.length} outputs: only networks from images to classes are known here`,
      );
    }
    const { size, rank } = inputSize(input);
    this.values.set(input.name, { size, rank, step: { kind: 'image' }, before: undefined, depth: 0 });
    const output = graph.output[0]?.name as string;
    for (const node of this.live(output)) this.visit(node, output);
    const value = this.values.get(output);
    if (!value) throw new FormatError(`the output ${output} does not depend on the image`);
    const layers = layersTo(value);
    const classes = value.size[2];
    const last = layers.at(-1);
    if (last?.kind === 'linear') last.outputs = 'classes';
    const weights = [...this.kept].map(([name, { shape, numbers }]) => {
      const given = numbers();
      return { name, shape, data: given instanceof Float32Array ? given : Float32Array.from(given) };
    });
    return { architecture: { input: size, classes, layers }, weights, notes: [...this.notes] };
  }

  /** The nodes that the output depends on, in the file's order: none comes before what it depends on. */
  private live(output: string): NodeProto[] {
    const wanted = new Set([output]);
    const nodes: NodeProto[] = [];
    for (const node of [...this.graph.node].reverse()) {
      if (!node.output.some((name) => wanted.has(name))) continue;
      nodes.unshift(node);
      for (const name of node.input) wanted.add(name);
    }
    return nodes;
  }

  private visit(node: NodeProto, output: string): void {
    const [name] = node.output as [string];
    if (node.domain !== '' && node.domain !== 'ai.onnx')
      throw without(node, `the domain ${node.domain}, which is not ONNX’s own`);
    const constants = node.input.map((input) => this.constantOf(input, node));
    const folded = fold(node, constants, this.external);
    if (folded) {
      this.constants.set(name, folded);
      return;
    }
    this.values.set(name, this.computed(node, name === output));
  }

  /** An input that is the same for all images; so are the sizes of what is computed of one. */
  private constantOf(input: string, { opType }: NodeProto): Constant | undefined {
    const value = opType === 'Shape' ? this.values.get(input) : undefined;
    if (!value) return this.constants.get(input);
    const [height, width, channels] = value.size;
    // The network is converted for one image; batches of any size run it.
    return { shape: value.rank === 2 ? [1, channels] : [1, channels, height, width], numbers: () => [] };
  }

  private computed(node: NodeProto, isOutput: boolean): Value {
    const { opType, input } = node;
    const label = node.name || (node.output[0] as string);
    const given = input.map((name) => this.values.get(name));
    const parts = given.filter((value) => value !== undefined);
    const [x] = parts;
    if (!x) throw without(node, 'no image among its inputs, and does not only arrange sizes');
    if (opType === 'Add') {
      const [a, b] = given;
      if (!a || !b) return this.biased(node, x, input[a ? 1 : 0] as string);
      if (a.size.join() !== b.size.join())
        throw without(node, `inputs of ${a.size.join(' x ')} and ${b.size.join(' x ')}`);
      return makeValue({ kind: 'sum', parts: [a, b], node: label }, a.size, a.rank);
    }
    if (opType === 'Concat') return this.concatenated(node, parts, label);
    if (opType === 'Mul') {
      const factors = input.flatMap((name) => this.constants.get(name) ?? []);
      // Exporters write the scale of elu, which is 1, as a product.
      if (factors.some(({ numbers }) => Array.from(numbers()).every((factor) => factor === 1))) return x;
      return product(node, given, label);
    }
    if (opType === 'HardSigmoid')
      return makeValue({ kind: 'part', of: hardSigmoid(node), from: x, node: label }, x.size, x.rank);
    if (endings.has(opType) && isOutput) {
      this.notes.add(`the ${opType} at the end is left out: losses and accuracies are taken of the logits`);
      return x;
    }
    if (parts.length > 1 || !given[0]) throw without(node);
    const convert = Object.hasOwn(operators, opType) ? operators[opType] : undefined;
    if (!convert) throw without(node, opType === 'Erf' ? erfHint : undefined);
    const layers = convert(this.operands(node, x));
    const flattens = ['Flatten', 'Reshape', 'Squeeze'].includes(opType) || layers[0]?.kind === 'linear';
    const isVector = flattens || (opType === 'ReduceMean' && integer(node, 'keepdims', 1) === 0);
    if (layers.length === 0) return isVector ? { ...x, rank: 2 } : x;
    return makeValue(
      { kind: 'layers', layers, from: x, node: label },
      sizeBehind(layers, x.size),
      isVector ? 2 : x.rank,
    );
  }

  private operands(node: NodeProto, x: Value): Operands {
    return {
      ...{ node, x },
      constant: (i) => this.constants.get(node.input[i] ?? ''),
      keep: (name, shape, numbers) => {
        if (this.kept.has(name))
          throw without(
            node,
            `the weights of another layer, ${name}: shared weights have no counterpart in the layers here`,
          );
        this.kept.set(name, { shape, numbers });
      },
      module: (weight) => moduleName(node, weight.stored),
      note: (text) => this.notes.add(text),
    };
  }

  /** A sum with a vector behind a dense layer without bias is its bias. */
  private biased(node: NodeProto, x: Value, name: string): Value {
    const bias = this.constants.get(name);
    const { step } = x;
    const layer: WrittenLayer | undefined = step.kind === 'layers' ? step.layers[0] : undefined;
    if (
      step.kind !== 'layers' ||
      layer?.kind !== 'linear' ||
      layer.bias !== false ||
      bias?.shape.join() !== String(x.size[2])
    ) {
      throw without(
        node,
        'a constant that is no bias of a dense layer, which has no counterpart in the layers here',
      );
    }
    const { bias: _, ...rest } = layer;
    this.kept.set(`${layer.name}.bias`, { shape: [x.size[2]], numbers: bias.numbers });
    return makeValue({ ...step, layers: [rest] }, x.size, x.rank);
  }

  private concatenated(node: NodeProto, parts: Value[], label: string): Value {
    const [x] = parts as [Value, ...Value[]];
    const axis = integer(node, 'axis', 1);
    if (axis !== 1 && axis !== 1 - x.rank)
      throw without(node, `the axis ${axis}, and here it is that of channels`);
    if (parts.length !== node.input.length) throw without(node, 'a constant among its inputs');
    if (parts.length === 1) return x;
    // Dense blocks put one more part behind the same ones in every layer: it is put behind what was concatenated before.
    const known = this.concatenations
      .filter(
        (other) => other.parts.length < parts.length && other.parts.every((part, i) => part === parts[i]),
      )
      .reduce<(typeof this.concatenations)[number] | undefined>(
        (best, other) => (other.parts.length > (best?.parts.length ?? 1) ? other : best),
        undefined,
      );
    const own = known ? [known.value, ...parts.slice(known.parts.length)] : parts;
    const channels = parts.reduce((sum, { size }) => sum + size[2], 0);
    const value = makeValue(
      { kind: 'concatenation', parts: own, node: label },
      [x.size[0], x.size[1], channels],
      x.rank,
    );
    this.concatenations.push({ parts, value });
    return value;
  }
}

const erfHint =
  'no counterpart in the layers here by itself; of GELU, export with opset_version=20 or later, where it is one operator';

/** The product of a value with a function of itself: silu and hardswish in two nodes. */
function product(node: NodeProto, given: readonly (Value | undefined)[], label: string): Value {
  const [a, b] = given;
  if (!a || !b) throw without(node);
  for (const [x, gate] of [
    [a, b],
    [b, a],
  ] as const) {
    const { step } = gate;
    if (step.kind === 'image' || 'parts' in step || step.from !== x) continue;
    const isSigmoid =
      step.kind === 'layers' &&
      step.layers[0]?.kind === 'activation' &&
      step.layers[0].function === 'sigmoid';
    const name = isSigmoid
      ? 'silu'
      : step.kind === 'part' && step.of === halfOfHardswish
        ? 'hardswish'
        : undefined;
    if (!name) continue;
    return makeValue(
      { kind: 'layers', layers: [{ kind: 'activation', function: name }], from: x, node: label },
      x.size,
      x.rank,
    );
  }
  throw without(node);
}

const halfOfHardswish = 'HardSigmoid';

/** PyTorch's hardsigmoid, min(6, max(0, x + 3)) / 6, or what cannot be part of a hardswish. */
const hardSigmoid = (node: NodeProto) => {
  const [alpha, beta] = [float(node, 'alpha', 0.2), float(node, 'beta', 0.5)];
  if (Math.abs(alpha - 1 / 6) > 1e-6) return 'HardSigmoid with another slope than 1/6';
  return beta === 0.5 ? halfOfHardswish : 'HardSigmoid with another value at 0 than 1/2';
};

/** The size of the images that an input takes. */
function inputSize({ name, type }: ValueInfoProto): { size: ImageSize; rank: number } {
  const dims = type?.value.case === 'tensorType' ? (type.value.value.shape?.dim ?? []) : [];
  const [, ...sides] = dims.map(({ value }) => (value.case === 'dimValue' ? Number(value.value) : undefined));
  if (sides.some((side) => side === undefined || side < 1) || (sides.length !== 3 && sides.length !== 1)) {
    throw new FormatError(
      `the input ${name} has not the fixed size of images, but [${dims.map(({ value }) => String(value.value ?? '?')).join(', ')}]: export with example images, and at most their number dynamic`,
    );
  }
  const [channels, height = 1, width = 1] = sides as [number, number?, number?];
  return { size: [height, width, channels], rank: dims.length };
}
