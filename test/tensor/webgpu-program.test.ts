/** The runner of WebGPU programs of our own; what they compute, ops.test.ts tests. */
import { beforeAll, describe, expect, test } from 'bun:test';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { type Program, runProgram } from '../../src/tensor/devices/webgpu/program.ts';
import { hasKernel, type KernelName } from '../../src/tensor/kernel.ts';
import { tf } from '../../src/tensor/tf.ts';
import { noWebgpu, startTested } from './devices.ts';

/** Runs a program and gives its outputs' numbers. */
async function run(program: Program): Promise<number[][]> {
  const infos = runProgram(tf.backend() as WebGPUBackend, program);
  const tensors = infos.map((info) => tf.engine().makeTensorFromTensorInfo(info));
  const values = await Promise.all(tensors.map((tensor) => tensor.data()));
  tf.dispose(tensors);
  return values.map((numbers) => [...numbers]);
}

describe.if(!noWebgpu)('a program on webgpu', () => {
  beforeAll(async () => {
    await startTested(['webgpu'], 1);
  });

  test('is behind every operation of a SANE step', () => {
    const without = (
      [
        ...['SaneLinear', 'SaneLinearGrad', 'SaneLayerNorm', 'SaneLayerNormGrad', 'SaneGelu', 'SaneGeluGrad'],
        ...['SaneAttention', 'SaneAttentionGrad', 'SaneTransformerBlock', 'SaneTransformerBlockGrad'],
        ...['SaneMaskedSquares', 'SaneMaskedSquaresGrad', 'SaneEmbeddingGrad', 'SaneAdamW'],
      ] as KernelName[]
    ).filter((name) => !hasKernel(name));
    expect(without).toEqual([]);
  });

  test('has more workgroups than a dispatch has along an axis', async () => {
    const groups = 2 * 65_535 + 3;
    const [numbers] = await run({
      name: 'test of groups',
      code: () => 'fn run(group : u32, thread : u32) { y[group] = f32(group) + f32(thread); }',
      ...{ groups, threads: 1, inputs: {}, outputs: { y: [groups] } },
    });
    expect(numbers).toEqual(Array.from({ length: groups }, (_, i) => i));
  });

  test('reads and writes tensors of several types and any rank, and what it is told', async () => {
    const x = tf.tensor([1, 2, 3, 4, 5, 6, 7, 8], [2, 1, 4]);
    const ids = tf.tensor([7, -3], [2], 'int32');
    const all = await run({
      name: 'test of types',
      code: () => `
        fn run(group : u32, thread : u32) {
          doubled[group] = x[group] * uniforms.factor;
          if (thread == 0) { sums[group] = dot(x[group], vec4f(1)) + f32(ids[group]) + f32(uniforms.more); }
        }`,
      ...{ groups: 2, threads: 4, inputs: { x, ids }, outputs: { doubled: [2, 4], sums: [2] } },
      ...{ vectors: ['x', 'doubled'], sizes: { more: 100 }, numbers: { factor: 2 } },
    });
    expect(all).toEqual([
      [2, 4, 6, 8, 10, 12, 14, 16],
      [117, 123],
    ]);
    tf.dispose([x, ids]);
  });
});
