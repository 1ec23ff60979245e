/** Tensors that an ONNX graph holds, and what it computes of them and of sizes without any image: shapes, axes, biases of zeros. */
import { type NumberFormat, toFloat32 } from '../../base/dtypes.ts';
import { FormatError } from '../../base/source.ts';
import {
  type AttributeProto,
  type NodeProto,
  type TensorProto,
  TensorProto_DataLocation,
} from './onnx_pb.ts';

/** A tensor that is the same for all images. */
export interface Constant {
  shape: number[];
  /** Its numbers in row-major order; read when they are asked for. */
  numbers(): ArrayLike<number>;
  /** Its name, where it is one that the file holds. */
  stored?: string;
}

/** The bytes of a file beside the ONNX file, by its name. */
export type External = (location: string) => Uint8Array;

/** A node's attributes by name. */
export function attributesOf(node: NodeProto): ReadonlyMap<string, AttributeProto> {
  return new Map(node.attribute.map((attribute) => [attribute.name, attribute]));
}

/** An attribute that is a whole number. */
export function integer(node: NodeProto, name: string, otherwise: number): number {
  const found = attributesOf(node).get(name);
  return found ? Number(found.i) : otherwise;
}

/** An attribute that is a list of whole numbers. */
export function integers(node: NodeProto, name: string, otherwise: readonly number[]): number[] {
  const found = attributesOf(node).get(name);
  return found ? found.ints.map(Number) : [...otherwise];
}

/** An attribute that is a number, as the exporter's decimal fraction: 1e-5, not the float32 next to it. */
export function float(node: NodeProto, name: string, otherwise: number): number {
  const found = attributesOf(node).get(name);
  return found ? Number(found.f.toPrecision(7)) : otherwise;
}

/** ONNX's numbers of formats. */
const formats: Partial<Record<number, NumberFormat>> = {
  ...{ 1: 'float32', 2: 'uint8', 3: 'int8', 4: 'uint16', 5: 'int16', 6: 'int32', 7: 'int64', 9: 'bool' },
  ...{ 10: 'float16', 11: 'float64', 12: 'uint32', 13: 'uint64', 16: 'bfloat16' },
};

/** A tensor of the file. Throws a FormatError for formats that are no numbers, and numbers that are not there. */
export function stored(tensor: TensorProto, external: External): Constant {
  const shape = tensor.dims.map(Number);
  const size = shape.reduce((a, b) => a * b, 1);
  const name = tensor.name;
  return {
    shape,
    ...(name && { stored: name }),
    numbers() {
      const numbers = readNumbers(tensor, external);
      if (numbers.length === size) return numbers;
      throw new FormatError(
        `the tensor ${name} has ${numbers.length} numbers, its shape [${shape}] needs ${size}`,
      );
    },
  };
}

function readNumbers(tensor: TensorProto, external: External): ArrayLike<number> {
  const format = formats[tensor.dataType];
  if (!format)
    throw new FormatError(
      `the tensor ${tensor.name} has numbers of the format ${tensor.dataType}, which is not read`,
    );
  if (tensor.dataLocation === TensorProto_DataLocation.EXTERNAL) {
    const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value]));
    const location = entries.get('location') ?? '';
    const file = external(location);
    const start = Number(entries.get('offset') ?? 0);
    const end = entries.has('length') ? start + Number(entries.get('length')) : file.length;
    if (!(start >= 0 && start <= end && end <= file.length)) {
      throw new FormatError(
        `${location} has not the bytes ${start} to ${end} of the tensor ${tensor.name}: is it of another export?`,
      );
    }
    return toFloat32(format, file.slice(start, end));
  }
  if (tensor.rawData.length > 0) return toFloat32(format, tensor.rawData);
  if (tensor.dataType === 1) return tensor.floatData;
  if (tensor.dataType === 11) return tensor.doubleData;
  return tensor.dataType === 7 ? tensor.int64Data.map(Number) : tensor.int32Data;
}

const made = (numbers: number[], shape = [numbers.length]): Constant => ({ shape, numbers: () => numbers });
const list = ({ numbers }: Constant): number[] => Array.from(numbers());

/** What nodes do that only arrange sizes and axes, so that what they give is the same for all images. */
const operations: Record<string, (inputs: readonly Constant[], node: NodeProto) => Constant | undefined> = {
  Identity: ([x]) => x,
  Cast: ([x]) => x,
  CastLike: ([x]) => x,
  Shape: ([x], node) => {
    const [start, end] = [integer(node, 'start', 0), integer(node, 'end', Number.POSITIVE_INFINITY)];
    return x && made(x.shape.slice(start, end));
  },
  // Vectors of sizes are all that is reshaped here: their numbers stay as they are.
  Reshape: ([x]) => x && made(list(x)),
  Squeeze: ([x]) => x && made(list(x)),
  Unsqueeze: ([x]) => x && made(list(x)),
  Concat: (inputs) => made(inputs.flatMap(list)),
  Gather: ([x, indices]) => {
    if (!x || !indices) return undefined;
    const numbers = list(x);
    return made(list(indices).map((index) => numbers.at(index) ?? Number.NaN));
  },
  Expand: ([x, shape]) => {
    const numbers = x && list(x);
    if (!numbers || !shape || numbers.length !== 1) return undefined;
    const sides = list(shape);
    return made(new Array(sides.reduce((a, b) => a * b, 1)).fill(numbers[0]), sides);
  },
  Transpose: ([x], node) => {
    const [rows, columns] = x?.shape ?? [];
    if (x?.shape.length !== 2 || !rows || !columns) return undefined;
    if (integers(node, 'perm', [1, 0]).join() !== '1,0') return undefined;
    const numbers = () => {
      const given = x.numbers();
      return Float32Array.from(
        { length: rows * columns },
        (_, i) => given[(i % rows) * columns + Math.floor(i / rows)] as number,
      );
    };
    return { shape: [columns, rows], numbers, ...(x.stored && { stored: x.stored }) };
  },
};

/** What a node gives if that follows from constants alone; `inputs` are undefined where it does not. */
export function fold(
  node: NodeProto,
  inputs: readonly (Constant | undefined)[],
  external: External,
): Constant | undefined {
  if (node.opType === 'Constant') {
    const [attribute] = node.attribute;
    if (!attribute) return undefined;
    switch (attribute.name) {
      case 'value':
        return attribute.t && stored(attribute.t, external);
      case 'value_float':
        return made([attribute.f], []);
      case 'value_floats':
        return made([...attribute.floats]);
      case 'value_int':
        return made([Number(attribute.i)], []);
      case 'value_ints':
        return made(attribute.ints.map(Number));
      default:
        return undefined;
    }
  }
  const operation = Object.hasOwn(operations, node.opType) ? operations[node.opType] : undefined;
  // Of what CastLike makes alike, the type alone counts.
  const counted = node.opType === 'CastLike' ? inputs.slice(0, 1) : inputs;
  const known = counted.filter((input) => input !== undefined);
  return operation && known.length === counted.length && known.length > 0
    ? operation(known, node)
    : undefined;
}
