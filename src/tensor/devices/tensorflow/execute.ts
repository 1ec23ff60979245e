/**
 * Runs operations of TensorFlow by their own names, for kernels that the package lacks. What a kernel computes on its way are TensorFlow's
 * tensors, without one of tfjs for each: those cost this process more than TensorFlow's part of a call.
 */
import { createRequire } from 'node:module';
import { tf } from '../../tf.ts';

export const requirePackage = createRequire(import.meta.url);

/** A tensor of TensorFlow by its number. */
export interface Handle {
  id: number;
  shape: readonly number[];
  dtype: number;
}

interface Attribute {
  name: string;
  type: number;
  value: unknown;
}

/** What is used of the package's back end. */
export interface TensorflowBackend extends tf.KernelBackend {
  /** Whether tensors lie on a GPU. */
  isUsingGpuDevice: boolean;
  /** The compiled addon. */
  binding: Record<`TF_ATTR_${'INT' | 'BOOL' | 'STRING' | 'TYPE'}` | 'TF_FLOAT' | 'TF_INT32', number> & {
    createTensor(shape: readonly number[], dtype: number, values: Float32Array | Int32Array): number;
    deleteTensor(id: number): void;
    executeOp(name: string, attributes: Attribute[], inputs: number[], outputs: number): Handle[];
  };
  /** Of each tensor: the number of TensorFlow's, below 0 while there is none, or the values that it is to be made of. */
  tensorMap: tf.DataStorage<{
    shape: readonly number[];
    dtype: number;
    values: tf.backend_util.BackendValues | null;
    id: number;
    refCount: number;
  }>;
  /** The numbers of TensorFlow's tensors, which are made now where there are none. */
  getInputTensorIds(tensors: readonly tf.Tensor[]): number[];
  createOutputTensor(handle: Handle): tf.Tensor;
}

const activeBackend = () => tf.backend() as TensorflowBackend;

/** Numbers of the tensors that the kernel that runs has made and not disposed of. */
let made: number[] = [];

/** What the work returns stays until the work around it is done, or for good; all else that it makes is disposed of. */
export function scope<T extends Handle | readonly Handle[]>(work: () => T): T {
  const outer = made;
  made = [];
  const kept = new Set<number>();
  try {
    const results = work();
    for (const { id } of [results].flat() as Handle[]) kept.add(id);
    return results;
  } finally {
    const { binding } = activeBackend();
    for (const id of made) {
      if (kept.has(id)) outer.push(id);
      else binding.deleteTensor(id);
    }
    made = outer;
  }
}

/** A kernel of ours: inputs by name or as a list, and attributes, as in kernel.ts. Its outputs are tensors that it made. */
export type Kernel = (inputs: never, attributes: never) => Handle[];

/** Runs a kernel on tensors of tfjs. */
export function run(kernel: Kernel, inputs: object, attributes: object): tf.Tensor[] {
  const backend = activeBackend();
  if (constants.size > mostConstants) forgetConstants(backend);
  const tensors = Object.values(inputs) as tf.Tensor[];
  const ids = backend.getInputTensorIds(tensors);
  const handles = tensors.map(({ dataId, shape }, i): Handle => {
    const { dtype } = backend.tensorMap.get(dataId);
    return { id: ids[i] as number, shape, dtype };
  });
  const given = Array.isArray(inputs)
    ? handles
    : Object.fromEntries(Object.keys(inputs).map((name, i) => [name, handles[i]]));
  const outputs = scope(() => kernel(given as never, attributes as never));
  made = [];
  return outputs.map((handle) => backend.createOutputTensor(handle));
}

type Attributes = Record<string, number | readonly number[] | boolean | string>;

/** An operation that was run. */
export interface Call {
  name: string;
  attributes: Attributes;
  inputs: readonly Handle[];
  outputs: readonly Handle[];
}

/** What a kernel did. */
export interface Recording {
  inputs: readonly Handle[];
  calls: readonly Call[];
  outputs: readonly Handle[];
}

/** The calls of the kernel that is recorded. */
let calls: Call[] | undefined;

/** As the work alone, which runs operations on the inputs; and what it did. */
export function record(inputs: readonly Handle[], work: () => Handle[]): Recording {
  const recorded: Call[] = [];
  calls = recorded;
  try {
    return { inputs, outputs: work(), calls: recorded };
  } finally {
    calls = undefined;
  }
}

/**
 * One operation of TensorFlow on float32 tensors, with one output. Attributes are whole numbers or lists of them, booleans
 * and texts; `T`, the type of the numbers, is given always. Throws what TensorFlow says of inputs that do not fit.
 */
export const execute = (name: string, inputs: readonly Handle[], attributes: Attributes = {}): Handle =>
  executeAll(name, inputs, attributes, 1)[0] as Handle;

/** As `execute`, of an operation with so many outputs. */
export function executeAll(
  name: string,
  inputs: readonly Handle[],
  attributes: Attributes,
  outputs: number,
): Handle[] {
  const { binding } = activeBackend();
  const given = Object.entries(attributes).map(([name, value]) => {
    if (typeof value === 'boolean') return { name, type: binding.TF_ATTR_BOOL, value };
    if (typeof value === 'string') return { name, type: binding.TF_ATTR_STRING, value };
    return { name, type: binding.TF_ATTR_INT, value };
  });
  const type = { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT };
  const handles = call(name, [type, ...given], inputs, outputs);
  calls?.push({ name, attributes, inputs, outputs: handles });
  return handles;
}

/** An operation of TensorFlow, or one that was given to it (graph.ts). */
export function call(
  name: string,
  attributes: Attribute[],
  inputs: readonly Handle[],
  outputs: number,
): Handle[] {
  const ids = inputs.map(({ id }) => id);
  const handles = activeBackend().binding.executeOp(name, attributes, ids, outputs);
  for (const { id } of handles) made.push(id);
  return handles;
}

export interface Constant extends Handle {
  values: Float32Array | Int32Array;
}

/** Numbers and shapes that kernels need, by type, shape and values: they are few, and the same from step to step. */
const constants = new Map<string, Constant>();
const mostConstants = 128;

function constant(type: 'TF_FLOAT' | 'TF_INT32', given: readonly number[], shape: readonly number[]): Handle {
  const key = `${type} ${shape} ${given}`;
  const known = constants.get(key);
  if (known) return known;
  const { binding } = activeBackend();
  const values = type === 'TF_FLOAT' ? Float32Array.from(given) : Int32Array.from(given);
  const id = binding.createTensor(shape, binding[type], values);
  const made = { id, shape, dtype: binding[type], values };
  constants.set(key, made);
  return made;
}

/** The constants in use, by their numbers. */
export const constantsById = (): ReadonlyMap<number, Constant> =>
  new Map(Array.from(constants.values(), (constant) => [constant.id, constant]));

function forgetConstants({ binding }: TensorflowBackend): void {
  for (const { id } of constants.values()) binding.deleteTensor(id);
  constants.clear();
}

/** Float32 numbers of that shape. */
export const floats = (values: readonly number[], shape: readonly number[]) =>
  constant('TF_FLOAT', values, shape);
export const scalar = (value: number) => floats([value], []);

/** A list of whole numbers: a shape, axes. */
export const integers = (values: readonly number[]) => constant('TF_INT32', values, [values.length]);

/** Operations by their usual names. */
const binary = (name: string) => (a: Handle, b: Handle) => execute(name, [a, b]);
export const add = binary('AddV2');
export const sub = binary('Sub');
export const mul = binary('Mul');

export const transpose = (x: Handle, axes: readonly number[]) => execute('Transpose', [x, integers(axes)]);
export const reshape = (x: Handle, shape: readonly number[]) => execute('Reshape', [x, integers(shape)]);

/** Of matrices, or of the last two axes of equal numbers of them. */
export function matMul(a: Handle, b: Handle, transposeA = false, transposeB = false): Handle {
  if (a.shape.length === 2)
    return execute('MatMul', [a, b], { transpose_a: transposeA, transpose_b: transposeB });
  return execute('BatchMatMulV2', [a, b], { adj_x: transposeA, adj_y: transposeB });
}
