import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Rates } from '../adam.ts';
import type { tf } from '../tf.ts';

const threads = 64;

/**
 * Each pass of the update (adam.ts) by its inputs and what it makes of number `index`, or of as many as are in a vector of type
 * `number`. Rates are one for all, or one for each model, of which `share` such numbers are.
 */
const passes = {
  m: {
    inputs: ['m', 'grad', 'param', 'decay'],
    code: 'uniforms.beta1 * m[index] + uniforms.rest1 * gradient(index)',
  },
  v: {
    inputs: ['v', 'grad', 'param', 'decay'],
    code: 'uniforms.beta2 * v[index] + uniforms.rest2 * squared(gradient(index))',
  },
  param: {
    inputs: ['param', 'm', 'v', 'rate', 'decay'],
    code: 'kept(index) - m[index] / (sqrt(v[index]) * uniforms.scale + uniforms.epsilon) * (rate[index / uniforms.share] / uniforms.correction1)',
  },
} as const;

const gradient = `
fn squared(x : number) -> number { return x * x; }
fn gradient(index : i32) -> number {
  if (uniforms.coupled == 0) { return grad[index]; }
  return grad[index] + param[index] * decay[index / uniforms.share];
}`;

const kept = `
fn kept(index : i32) -> number {
  if (uniforms.coupled == 1) { return param[index]; }
  return param[index] - param[index] * (rate[index / uniforms.share] * decay[index / uniforms.share]);
}`;

const numbers = ['beta1', 'rest1', 'beta2', 'rest2', 'scale', 'epsilon', 'correction1'] as const;

/** SaneAdamW (kernel.ts): three passes over each parameter, where plain operations make fourteen. */
export function adamW(
  backend: WebGPUBackend,
  inputs: Record<string, tf.TensorInfo>,
  attributes: Rates,
): tf.TensorInfo[] {
  const { learningRate, weightDecay, decayed, coupled, beta1, beta2, epsilon } = attributes;
  const models = Math.max(learningRate.length, weightDecay.length);
  const spread = (rates: readonly number[]) =>
    backend.makeTensorInfo(
      [models],
      'float32',
      new Float32Array(models).map((_, i) => rates[i % rates.length] as number),
    );
  const [rate, decay, none] = [spread(learningRate), spread(weightDecay), spread([0])];
  const values = {
    ...{ beta1, rest1: 1 - beta1, beta2, rest2: 1 - beta2, epsilon, correction1: attributes.correction1 },
    scale: 1 / Math.sqrt(attributes.correction2),
  };

  const results = decayed.flatMap((decays, i) => {
    const [param, grad, m, v] = ['param', 'grad', 'm', 'v'].map((name) => inputs[`${name}${i}`]) as [
      ...[tf.TensorInfo, tf.TensorInfo, tf.TensorInfo, tf.TensorInfo],
    ];
    const size = param.shape.reduce((product, length) => product * length, 1);
    // Four numbers in a vector where no model's end in the middle of one.
    const width = size % (4 * models) === 0 ? 4 : 1;
    const run = (pass: keyof typeof passes, given: Record<string, tf.TensorInfo>): tf.TensorInfo => {
      const program = {
        variableNames: [...passes[pass].inputs],
        outputShape: [size],
        dispatchLayout: { x: [0] },
        dispatch: [Math.ceil(size / width / threads), 1, 1] as [number, number, number],
        workgroupSize: [threads, 1, 1] as [number, number, number],
        uniforms: `${numbers.map((name) => `${name} : f32, `).join('')}coupled : i32, share : i32,`,
        size: true,
        outputComponent: width,
        variableComponents: passes[pass].inputs.map((name) => (name in rates ? 1 : width)),
        shaderKey: `SaneAdamW ${pass} ${width}`,
        getUserCode:
          () => `alias number = ${width === 4 ? 'vec4<f32>' : 'f32'};${pass === 'param' ? kept : gradient}
fn main(index : i32) {
  if (index >= uniforms.size) { return; }
  result[index] = ${passes[pass].code};
}`,
      };
      const uniforms = [
        ...numbers.map((name) => ({ type: 'float32', data: [values[name]] })),
        { type: 'int32', data: [coupled ? 1 : 0] },
        { type: 'int32', data: [size / width / models] },
      ];
      const flat = program.variableNames.map((name) => {
        const tensor = given[name] as tf.TensorInfo;
        return {
          ...tensor,
          dataId: tensor.dataId,
          dtype: tensor.dtype,
          shape: [name in rates ? models : size],
        };
      });
      const output = backend.runWebGPUProgram(program, flat, 'float32', uniforms);
      return { ...output, shape: param.shape };
    };
    const rates = { rate, decay: decays ? decay : none };
    const next = { m: run('m', { m, grad, param, ...rates }), v: run('v', { v, grad, param, ...rates }) };
    return [run('param', { param, ...next, ...rates }), next.m, next.v];
  });
  for (const { dataId } of [rate, decay, none]) backend.disposeData(dataId);
  return results;
}
