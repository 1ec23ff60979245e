/** Runs operations of TensorFlow by their own names, for kernels that the package lacks. */
import { createRequire } from 'node:module';
import { tf } from '../../tf.ts';

export const requirePackage = createRequire(import.meta.url);

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
  binding: Record<`TF_ATTR_${'INT' | 'BOOL' | 'STRING' | 'TYPE'}` | 'TF_FLOAT', number> & {
    createTensor(shape: readonly number[], dtype: number, values: Float32Array): number;
    deleteTensor(id: number): void;
  };
  /** Of each tensor: the number of TensorFlow's, below 0 while there is none, or the values that it is to be made of. */
  tensorMap: tf.DataStorage<{
    shape: readonly number[];
    dtype: number;
    values: tf.backend_util.BackendValues | null;
    id: number;
    refCount: number;
  }>;
  executeSingleOutput(name: string, attributes: Attribute[], inputs: tf.Tensor[]): tf.Tensor;
  executeMultipleOutputs(
    name: string,
    attributes: Attribute[],
    inputs: tf.Tensor[],
    outputs: number,
  ): tf.Tensor[];
}

/**
 * One operation of TensorFlow on float32 tensors, with one output. Attributes are whole numbers or lists of them, booleans
 * and texts; `T`, the type of the numbers, is given always. Throws what TensorFlow says of inputs that do not fit.
 */
export function execute(name: string, inputs: tf.Tensor[], attributes: Attributes): tf.Tensor {
  const backend = tf.backend() as TensorflowBackend;
  return backend.executeSingleOutput(name, attributesOf(backend, attributes), inputs);
}

/** The tensors that are stacked along the first axis. */
export function unpack(stacked: tf.Tensor): tf.Tensor[] {
  const backend = tf.backend() as TensorflowBackend;
  const count = stacked.shape[0] as number;
  const attributes = attributesOf(backend, { num: count, axis: 0 });
  return backend.executeMultipleOutputs('Unpack', attributes, [stacked], count);
}

type Attributes = Record<string, number | readonly number[] | boolean | string>;

function attributesOf({ binding }: TensorflowBackend, attributes: Attributes): Attribute[] {
  const given = Object.entries(attributes).map(([name, value]) => {
    if (typeof value === 'boolean') return { name, type: binding.TF_ATTR_BOOL, value };
    if (typeof value === 'string') return { name, type: binding.TF_ATTR_STRING, value };
    return { name, type: binding.TF_ATTR_INT, value };
  });
  const type = { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT };
  return [type, ...given];
}
