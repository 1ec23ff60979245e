import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { sizeOf } from '../../../base/shape.ts';
import type { tf } from '../../tf.ts';

/** A compute shader, and what it runs on. */
export interface Program {
  /** Tells it from every other program, and from its own variants of other code, threads or types. */
  name: string;
  /**
   * WGSL with a function `run(group : u32, thread : u32)` that every thread of every workgroup calls. Inputs and outputs are arrays of
   * their names, sizes and numbers are members of `uniforms`; the code uses each input and output. A barrier may stand wherever
   * nothing depends on the thread.
   */
  code: () => string;
  groups: number;
  threads: number;
  inputs: Record<string, tf.TensorInfo>;
  /** Shapes of tensors of float32 that are made; or a tensor, which is written to. Eight with the inputs: every GPU takes so many. */
  outputs: Record<string, readonly number[] | tf.TensorInfo>;
  /** Members of `uniforms` of type u32. */
  sizes?: Record<string, number>;
  /** Members of `uniforms` of type f32. */
  numbers?: Record<string, number>;
  /** Inputs and outputs that are arrays of vec4f. Their last axis, or the number of all, is a multiple of 4. */
  vectors?: readonly string[];
}

/** What is used of the package's own. It binds the tensors as they come, and puts the uniforms behind shapes that it declares itself. */
interface Recorder {
  recordAndSubmit(
    program: object,
    output: tf.TensorInfo,
    inputs: tf.TensorInfo[],
    uniforms: { type: string; data: number[] }[],
  ): void;
}

const pipelines = new WeakMap<GPUDevice, Map<string, GPUComputePipeline>>();

/** The same memory in another shape. */
export const reshaped = ({ dataId, dtype }: tf.TensorInfo, shape: number[]): tf.TensorInfo => ({
  dataId,
  dtype,
  shape,
});

/**
 * Runs a program in the back end's queue, and gives its outputs in order. The package's own programs have one output, which would
 * take a pass over the inputs for each.
 */
export function runProgram(backend: WebGPUBackend, program: Program): tf.TensorInfo[] {
  const { device } = backend;
  const outputs = Object.values(program.outputs).map((output) =>
    'dataId' in output ? output : backend.makeTensorInfo([...output], 'float32'),
  );
  const inputs = Object.values(program.inputs).map((tensor) => inFloats(backend, tensor));
  const [first, ...rest] = [...outputs, ...inputs].map((tensor) => {
    backend.uploadToGPU(tensor.dataId);
    return reshaped(tensor, [sizeOf(tensor.shape)]);
  });
  const known = pipelines.get(device) ?? new Map<string, GPUComputePipeline>();
  pipelines.set(device, known);
  const pipeline = known.get(program.name) ?? compile(device, program);
  known.set(program.name, pipeline);
  const { sizes = {}, numbers = {}, groups } = program;
  const dispatch = spread(groups, device.limits.maxComputeWorkgroupsPerDimension);
  (backend as unknown as Recorder).recordAndSubmit(
    { label: program.name, pipeline, dispatch },
    first as tf.TensorInfo,
    rest,
    [
      ...[groups, ...Object.values(sizes)].map((size) => ({ type: 'uint32', data: [size] })),
      ...Object.values(numbers).map((number) => ({ type: 'float32', data: [number] })),
    ],
  );
  for (const [i, { dataId }] of Object.values(program.inputs).entries()) {
    const used = inputs[i]?.dataId as object;
    if (used !== dataId) backend.disposeData(used);
  }
  return outputs;
}

/** The tensor itself, unless it is of float32 but in memory still as the integers that it was cast from. */
function inFloats(backend: WebGPUBackend, tensor: tf.TensorInfo): tf.TensorInfo {
  if (tensor.dtype !== 'float32' || backend.tensorMap.get(tensor.dataId).dtype === 'float32') return tensor;
  const size = sizeOf(tensor.shape);
  const [floats] = runProgram(backend, {
    name: 'floats',
    code: () => `
fn run(group : u32, thread : u32) {
  let i = group * threads + thread;
  if (i < uniforms.size) { y[i] = f32(x[i]); }
}`,
    ...{ threads: 64, groups: Math.ceil(size / 64), sizes: { size } },
    inputs: { x: { ...reshaped(tensor, tensor.shape), dtype: 'int32' } },
    outputs: { y: tensor.shape },
  });
  return floats as tf.TensorInfo;
}

/** Workgroups along x and y; there may be some too many. */
function spread(groups: number, most: number): [number, number, number] {
  const y = Math.max(1, Math.ceil(groups / most));
  return [Math.ceil(groups / y), y, 1];
}

function compile(device: GPUDevice, { name, ...program }: Program): GPUComputePipeline {
  const module = device.createShaderModule({ code: sourceOf(program), label: name });
  return device.createComputePipeline({
    compute: { module, entryPoint: 'main' },
    label: name,
    layout: 'auto',
  });
}

function sourceOf(program: Omit<Program, 'name'>): string {
  const { inputs, outputs, sizes = {}, numbers = {}, vectors = [], threads, code } = program;
  const variable = (name: string, access: string, dtype: string) => {
    const type = vectors.includes(name) ? 'vec4f' : dtype === 'int32' ? 'i32' : 'f32';
    return `var<storage, ${access}> ${name} : array<${type}>;`;
  };
  const variables = [
    ...Object.keys(outputs).map((name) => variable(name, 'read_write', 'float32')),
    ...Object.entries(inputs).map(([name, { dtype }]) => variable(name, 'read', dtype)),
    'var<uniform> uniforms : Uniforms;',
  ];
  // Before ours come two numbers, and of each tensor a shape and a stride, as all are flat.
  const behind = 4 * (2 + 2 * (variables.length - 1));
  const member = (type: string) => (key: string) => `${key} : ${type},`;
  return `
struct Uniforms {
  @size(${behind}) before : u32,
  ${['groups', ...Object.keys(sizes)].map(member('u32')).join(' ')}
  ${Object.keys(numbers).map(member('f32')).join(' ')}
}
${variables.map((declaration, i) => `@group(0) @binding(${i}) ${declaration}`).join('\n')}
const threads = ${threads}u;
${code()}
@compute @workgroup_size(threads)
fn main(@builtin(workgroup_id) place : vec3u, @builtin(num_workgroups) count : vec3u,
        @builtin(local_invocation_index) thread : u32) {
  let group = place.y * count.x + place.x;
  if (group < uniforms.groups) { run(group, thread); }
}`;
}
