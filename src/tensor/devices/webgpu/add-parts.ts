import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { sizeOf } from '../../../base/shape.ts';
import type { tf } from '../../tf.ts';
import { type Program, runProgram } from './program.ts';

const threads = 64;
/** That a pass adds up: of eight tensors that every GPU binds, each takes two. */
const most = 4;

export interface Parted {
  /** Parts of all numbers of a shape, one after the other. */
  sums: tf.TensorInfo;
  parts: number;
  shape: readonly number[];
}

/** The sums of the parts of several tensors. */
export function addParts(backend: WebGPUBackend, all: readonly Parted[]): tf.TensorInfo[] {
  return Array.from({ length: Math.ceil(all.length / most) }, (_, i) =>
    runProgram(backend, programOf(all.slice(most * i, most * (i + 1)))),
  ).flat();
}

function programOf(all: readonly Parted[]): Program {
  const named = <T>(name: string, of: (parted: Parted) => T) =>
    Object.fromEntries(all.map((parted, i) => [`${name}${i}`, of(parted)]));
  const width = all.every(({ shape }) => sizeOf(shape) % 4 === 0) ? 4 : 1;
  const size = ({ shape }: Parted) => sizeOf(shape) / width;
  const inputs = named('sums', ({ sums }) => sums);
  const outputs = named('y', ({ shape }) => shape);
  return {
    name: `parts of ${all.length} ${width}`,
    code: () => codeOf(all.length, width),
    threads,
    groups: Math.ceil(all.reduce((sum, parted) => sum + size(parted), 0) / threads),
    inputs,
    outputs,
    vectors: width === 4 ? [...Object.keys(inputs), ...Object.keys(outputs)] : [],
    sizes: { ...named('size', size), ...named('parts', ({ parts }) => parts) },
  };
}

/** One number or four to a thread; those of each tensor come after those of the one before. */
const codeOf = (tensors: number, width: number) => `
fn run(group : u32, thread : u32) {
  var i = group * threads + thread;
  ${Array.from(
    { length: tensors },
    (_, t) => `
  if (i < uniforms.size${t}) {
    var sum = ${width === 4 ? 'vec4f' : 'f32'}();
    for (var part = 0u; part < uniforms.parts${t}; part++) { sum += sums${t}[part * uniforms.size${t} + i]; }
    y${t}[i] = sum;
    return;
  }
  i -= uniforms.size${t};`,
  ).join('')}
}`;
