import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { tf } from '../../tf.ts';
import { runProgram } from './program.ts';

/** Columns of a workgroup, and ids that its threads look at together. */
const threads = 256;

/**
 * A workgroup has 256 columns of a row of the table. Its threads note in bits which of 256 ids are that row, and each adds up those of
 * its column, in order: no sum depends on which thread was first.
 */
const code = `
var<workgroup> found : array<atomic<u32>, threads / 32>;
fn run(group : u32, thread : u32) {
  let row = group / uniforms.blocks;
  let column = group % uniforms.blocks * threads + thread;
  var sum = 0.0;
  for (var first = 0u; first < uniforms.count; first += threads) {
    if (thread < threads / 32) { atomicStore(&found[thread], 0); }
    workgroupBarrier();
    let i = first + thread;
    if (i < uniforms.count && ids[i] == i32(row)) { atomicOr(&found[thread / 32], 1u << (thread % 32)); }
    workgroupBarrier();
    if (column < uniforms.width) {
      for (var word = 0u; word < threads / 32; word++) {
        for (var bits = atomicLoad(&found[word]); bits != 0; bits &= bits - 1) {
          sum += dy[(first + word * 32 + countTrailingZeros(bits)) * uniforms.width + column];
        }
      }
    }
    workgroupBarrier();
  }
  if (column < uniforms.width) { dtable[row * uniforms.width + column] = sum; }
}`;

/** SaneEmbeddingGrad (kernel.ts). */
export function embeddingGrad(
  backend: WebGPUBackend,
  { dy, ids }: Record<'dy' | 'ids', tf.TensorInfo>,
  { rows }: { rows: number },
): tf.TensorInfo[] {
  const [count, width] = dy.shape as [number, number];
  const blocks = Math.ceil(width / threads);
  return runProgram(backend, {
    name: 'SaneEmbeddingGrad',
    code: () => code,
    ...{ threads, groups: rows * blocks, sizes: { count, width, blocks } },
    inputs: { dy, ids },
    outputs: { dtable: [rows, width] },
  });
}
