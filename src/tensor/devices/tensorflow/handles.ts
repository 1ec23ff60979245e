/** Tensors of TensorFlow without tensors of tfjs, and those of a few numbers that are kept. */
import { createRequire } from 'node:module';
import { tf } from '../../tf.ts';

export const requirePackage = createRequire(import.meta.url);

/** A tensor of TensorFlow by its number. */
export interface Handle {
  id: number;
  shape: readonly number[];
  dtype: number;
}

export interface Attribute {
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
    getNumOfTensors(): number;
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

export const activeBackend = () => tf.backend() as TensorflowBackend;

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

/** To be called where nothing uses any: when they are many all are deleted, since those of AdamW change at every step. */
export function forgetConstants(): void {
  if (constants.size <= mostConstants) return;
  const { binding } = activeBackend();
  for (const { id } of constants.values()) binding.deleteTensor(id);
  constants.clear();
}

/** Float32 numbers of that shape. */
export const floats = (values: readonly number[], shape: readonly number[]) =>
  constant('TF_FLOAT', values, shape);
export const scalar = (value: number) => floats([value], []);

/** A list of whole numbers: a shape, axes. */
export const integers = (values: readonly number[]) => constant('TF_INT32', values, [values.length]);
