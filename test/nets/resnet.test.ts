/** Training residual networks, on every device as on cpu. */
import { beforeAll, expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import type { Architecture } from '../../src/nets/architecture.ts';
import { derive } from '../../src/nets/derive.ts';
import { forward } from '../../src/nets/forward.ts';
import { getArchitecture } from '../../src/nets/registry.ts';
import { startDevice } from '../../src/tensor/devices/registry.ts';
import { tf } from '../../src/tensor/tf.ts';
import { expectClose } from '../tensor/compare.ts';
import { describeNative, hasCompiler } from '../tensor/devices.ts';

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

// A fixed one: where relu has its kink, rounding would decide about a gradient for some seeds.
const seed = 1;
const slim: Record<string, Architecture> = {
  'resnet18 of width 4': getArchitecture('resnet18', { input: [16, 16, 3], classes: 10, width: 4 }),
  'two bottlenecks': twoBottlenecks(),
};

/** The stem of a resnet50 and the first block of its first two stages: deeper, rounding would grow too large to compare. */
function twoBottlenecks(): Architecture {
  const { layers, ...net } = getArchitecture('resnet50', { input: [17, 19, 2], classes: 5, width: 16 });
  const stem = 3;
  const perBlock = 2;
  const blocks = [
    ...layers.slice(stem, stem + perBlock),
    ...layers.slice(stem + 3 * perBlock).slice(0, perBlock),
  ];
  return derive({
    ...net,
    layers: [
      ...[...layers.slice(0, stem), ...blocks, { kind: 'global-average-pool' } as const],
      { kind: 'linear', name: 'fc', inputs: 128, outputs: 5 },
    ],
  });
}

const variable = (data: Float32Array, shape: number[]) => tf.tidy(() => tf.variable(tf.tensor(data, shape)));

/** The loss, logits in evaluation, gradients and buffers of one step, by name. */
async function step(backend: string, net: Architecture): Promise<Map<string, Float32Array>> {
  if (!(await tf.setBackend(backend))) throw new Error(`the back end ${backend} was not started`);
  const held = () => ({ tensors: tf.memory().numTensors, memories: tf.backend().numDataIds() });
  const before = held();
  const batch = 3;
  const weights = new Map(
    net.parameters.map(({ name, shape }) => {
      const fan = sizeOf(shape.slice(1));
      const data = new Random(seed, name)
        .normals(sizeOf(shape))
        .map((x) =>
          shape.length === 1 ? (name.endsWith('weight') ? 1 : 0) + 0.1 * x : x * Math.sqrt(2 / fan),
        );
      return [name, variable(data, shape)];
    }),
  );
  const buffers = new Map(
    net.buffers.map(({ name, shape }) => {
      const data = new Float32Array(sizeOf(shape)).fill(name.endsWith('var') ? 1 : 0);
      return [name, variable(data, shape)];
    }),
  );
  const random = new Random(seed, 'images');
  const images = tf.tensor4d(random.normals(batch * sizeOf(net.input)), [batch, ...net.input]);
  const classes = Int32Array.from({ length: batch }, (_, i) => i % net.classes);
  const labels = tf.tidy(() => tf.oneHot(tf.tensor1d(classes, 'int32'), net.classes));
  const loss = (): tf.Scalar => {
    const logits = forward(net, weights, buffers, images, 'relu', { training: true });
    return tf.neg(tf.mean(tf.sum(tf.mul(tf.logSoftmax(logits), labels), 1))) as tf.Scalar;
  };
  const results = new Map<string, Float32Array>();
  const keep = (name: string, tensor: tf.Tensor) => results.set(name, tensor.dataSync<'float32'>().slice());
  const { value, grads } = tf.variableGrads(loss, [...weights.values()]);
  keep('loss', value);
  for (const [name, variable] of weights) keep(name, grads[variable.name] as tf.Tensor);
  for (const [name, buffer] of buffers) keep(name, buffer);
  const logits = tf.tidy(() => forward(net, weights, buffers, images, 'relu', { training: false }));
  keep('logits', logits);
  tf.dispose([value, grads, logits, images, labels, [...weights.values()], [...buffers.values()]]);
  expect(held()).toEqual(before);
  return results;
}

describeNative('on native', () => {
  beforeAll(async () => {
    await startDevice('cpu', { threads: 1 });
    if (hasCompiler) await startDevice('native', { threads: 2 });
  });

  test.each(Object.entries(slim))(`a step of %s is that on cpu`, async (_, net) => {
    const [expected, actual] = [await step('cpu', net), await step('native', net)];
    for (const [name, numbers] of expected) {
      // Relative to the largest: gradients of one tensor differ in size by orders of magnitude.
      const scale = numbers.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-3);
      const scaled = (x: number) => x / scale;
      expectClose((actual.get(name) as Float32Array).map(scaled), numbers.map(scaled), 1e-4);
    }
  });
});
