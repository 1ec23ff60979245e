import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { sizeOf } from '../../../base/shape.ts';
import type { Rates } from '../../adam.ts';
import type { tf } from '../../tf.ts';
import { runProgram } from './program.ts';

const threads = 64;

/** The update (adam.ts) of a number, or of as many as are in a vector. `rates` has the models' learning rates, then their decays. */
const codeOf = (width: number) => `
alias number = ${width === 4 ? 'vec4f' : 'f32'};
fn run(group : u32, thread : u32) {
  let i = group * threads + thread;
  if (i >= uniforms.size) { return; }
  let model = i / uniforms.share;
  let rate = rates[model];
  let decay = f32(uniforms.decays) * rates[uniforms.models + model];
  var kept = param[i];
  var g = grad[i];
  if (uniforms.coupled == 1) { g += kept * decay; } else { kept -= kept * (rate * decay); }
  let first = uniforms.beta1 * m[i] + uniforms.rest1 * g;
  let second = uniforms.beta2 * v[i] + uniforms.rest2 * (g * g);
  nextM[i] = first;
  nextV[i] = second;
  nextParam[i] = kept - first / (sqrt(second) * uniforms.scale + uniforms.epsilon) * (rate / uniforms.correction1);
}`;

/** SaneAdamW (kernel.ts): one pass over each parameter, where plain operations make fourteen. */
export function adamW(
  backend: WebGPUBackend,
  inputs: readonly tf.TensorInfo[],
  attributes: Rates,
): tf.TensorInfo[] {
  const { learningRate, weightDecay, decayed, coupled, beta1, beta2, epsilon } = attributes;
  const models = Math.max(learningRate.length, weightDecay.length);
  const values = [learningRate, weightDecay].flatMap((of) =>
    Array.from({ length: models }, (_, i) => of[i % of.length] as number),
  );
  const rates = backend.makeTensorInfo([values.length], 'float32', Float32Array.from(values));
  const results = decayed.flatMap((decays, i) => {
    const [param, grad, m, v] = inputs.slice(4 * i, 4 * i + 4) as [
      tf.TensorInfo,
      tf.TensorInfo,
      tf.TensorInfo,
      tf.TensorInfo,
    ];
    const { shape } = param;
    const size = sizeOf(shape);
    // Four numbers in a vector where no model's end is in the middle of one.
    const width = size % (4 * models) === 0 ? 4 : 1;
    return runProgram(backend, {
      name: `SaneAdamW ${width}`,
      code: () => codeOf(width),
      threads,
      groups: Math.ceil(size / width / threads),
      inputs: { param, grad, m, v, rates },
      outputs: { nextParam: shape, nextM: shape, nextV: shape },
      vectors: width === 4 ? ['param', 'grad', 'm', 'v', 'nextParam', 'nextM', 'nextV'] : [],
      sizes: {
        size: size / width,
        share: size / width / models,
        ...{ models, decays, coupled: coupled ? 1 : 0 },
      },
      numbers: {
        ...{ beta1, rest1: 1 - beta1, beta2, rest2: 1 - beta2, epsilon },
        ...{ correction1: attributes.correction1, scale: 1 / Math.sqrt(attributes.correction2) },
      },
    });
  });
  backend.disposeData(rates.dataId);
  return results;
}
