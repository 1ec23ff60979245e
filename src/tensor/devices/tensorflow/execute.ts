/**
 * Runs operations of TensorFlow by their own names, for kernels that the package lacks. What a kernel computes on its way are TensorFlow's
 * tensors, without one of tfjs for each: those cost this process more than TensorFlow's part of a call.
 */
import type { tf } from '../../tf.ts';
import { type Attribute, activeBackend, forgetConstants, type Handle } from './handles.ts';

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
  forgetConstants();
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
