/** Populations of networks with batch normalisation: weights and running statistics of many models at once. */
import { beforeAll, describe, expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import type { Architecture, ParameterSpec } from '../../src/nets/architecture.ts';
import {
  conditionPopulation,
  populationGradients,
  populationLogits,
  populationScores,
} from '../../src/nets/population.ts';
import { getArchitecture } from '../../src/nets/registry.ts';
import { tf } from '../../src/tensor/tf.ts';
import { testSeed } from '../seed.ts';
import { expectClose } from '../tensor/compare.ts';
import { kernelDevices, startTested, testNative } from '../tensor/devices.ts';
import { cnnSmall, oracleLogits, randomWeights } from './networks.ts';

const resnet = getArchitecture('resnet18', { input: [16, 17, 2], classes: 5, width: 2 });
const models = 3;
const count = 7;
const batch = 4;
const states = Array.from({ length: models }, (_, m) => randomWeights(resnet, testSeed + m));
const random = new Random(testSeed, 'population-norm');
const pixels = random.normals(count * resnet.input.reduce((a, b) => a * b));
const classes = Int32Array.from({ length: count }, () => random.integer(resnet.classes));
const orders = Array.from({ length: models }, () => random.permutation(count).slice(0, batch));
const image = (i: number) => pixels.subarray((i * pixels.length) / count, ((i + 1) * pixels.length) / count);

const stacked = (specs: ParameterSpec[], from: number, to: number) =>
  new Map(
    specs.map(({ name, shape }) => {
      const values = states.slice(from, to).flatMap((state) => [...state.get(name)!]);
      return [name, tf.tidy(() => tf.variable(tf.tensor(values, [to - from, ...shape])))] as const;
    }),
  );

interface Population {
  net: { architecture: Architecture; activation: 'relu' };
  weights: Map<string, tf.Variable>;
  buffers: Map<string, tf.Variable>;
  data: { images: tf.Tensor4D; labels: tf.Tensor1D };
  order: tf.Tensor2D;
}

/** What `use` makes of models `from` to `to`; afterwards no tensor may be left. */
async function withPopulation<T>(
  device: string,
  use: (population: Population) => Promise<T>,
  from = 0,
  to = models,
): Promise<T> {
  await tf.setBackend(device);
  const before = tf.memory().numTensors;
  const [weights, buffers] = [stacked(resnet.parameters, from, to), stacked(resnet.buffers, from, to)];
  const data = {
    images: tf.tensor4d(pixels, [count, ...resnet.input]),
    labels: tf.tensor1d(classes, 'int32'),
  };
  const order = tf.tensor2d(
    orders.slice(from, to).flatMap((one) => [...one]),
    [to - from, batch],
    'int32',
  );
  const net = { architecture: resnet, activation: 'relu' } as const;
  const result = await use({ net, weights, buffers, data, order });
  tf.dispose([...weights.values(), ...buffers.values(), data.images, data.labels, order]);
  expect(tf.memory().numTensors).toBe(before);
  return result;
}

const read = async (tensor: tf.Tensor) => (await tensor.data<'float32'>()).slice();

async function readAll(tensors: ReadonlyMap<string, tf.Tensor>): Promise<Map<string, Float32Array>> {
  const numbers = new Map<string, Float32Array>();
  for (const [name, tensor] of tensors) numbers.set(name, await read(tensor));
  return numbers;
}

/** Losses, counts of right answers, gradients and the buffers after one step; scores and logits of these. */
const compute = async ({ net, weights, buffers, data, order }: Population) => {
  const { losses, correct, gradients } = populationGradients(net, weights, buffers, data, order);
  const { losses: testLosses, accuracies } = await populationScores(net, weights, buffers, data);
  const logits = populationLogits(net, weights, buffers, data.images);
  expect(logits.shape).toEqual([buffers.get('bn1.running_mean')!.shape[0]!, count, resnet.classes]);
  const tensors = new Map<string, tf.Tensor>([...Object.entries(gradients), ...buffers]);
  tensors.set('losses', losses).set('correct', correct).set('logits', logits);
  const numbers = await readAll(tensors);
  numbers.set('test losses', testLosses).set('accuracies', accuracies);
  tf.dispose([losses, correct, logits, gradients]);
  return numbers;
};

/** Mean cross-entropy of logits and the share of right ones. */
function scores(logits: number[][], labels: number[]): { loss: number; accuracy: number } {
  const losses = logits.map((row, i) =>
    Math.log(row.reduce((sum, x) => sum + Math.exp(x - row[labels[i]!]!), 0)),
  );
  const right = logits.filter((row, i) => row.indexOf(Math.max(...row)) === labels[i]);
  return { loss: losses.reduce((a, b) => a + b, 0) / losses.length, accuracy: right.length / logits.length };
}

const relu = (x: number) => Math.max(0, x);

describe(`populations with batch normalisation`, () => {
  beforeAll(async () => {
    await startTested(['cpu', ...kernelDevices], 2);
  });

  test.each(['cpu', ...kernelDevices])(
    'on %s have the losses and scores of the definition',
    async (device) => {
      const numbers = await withPopulation(device, compute);
      const last = (name: string, m: number, size: number) =>
        numbers.get(name)!.subarray(m * size, (m + 1) * size);
      for (const [m, state] of states.entries()) {
        const order = [...orders[m]!];
        const batchLogits = oracleLogits(resnet, state, order.map(image), relu, { training: true });
        const { loss, accuracy } = scores(
          batchLogits,
          order.map((i) => classes[i]!),
        );
        expectClose(last('losses', m, 1), [loss], 2e-3);
        expect(last('correct', m, 1)[0]! / order.length).toBeCloseTo(accuracy, 6);
        // Evaluation is by the running statistics that the step left.
        const after = new Map(state);
        for (const { name, shape } of resnet.buffers) after.set(name, last(name, m, shape[0]!).slice());
        const all = Array.from({ length: count }, (_, i) => image(i));
        const logits = oracleLogits(resnet, after, all, relu, { training: false });
        const test = scores(logits, [...classes]);
        expectClose(last('logits', m, count * resnet.classes), logits.flat(), 2e-3);
        expectClose(last('test losses', m, 1), [test.loss], 2e-3);
        expect(last('accuracies', m, 1)[0]).toBeCloseTo(test.accuracy, 6);
      }
    },
  );

  testNative('give each model the very numbers that it has alone', async () => {
    const together = await withPopulation('native', compute);
    const alone = await withPopulation('native', compute, 1, 2);
    for (const [name, numbers] of alone) {
      const all = together.get(name)!;
      expect({ name, numbers: [...numbers] }).toEqual({
        name,
        numbers: [...all.slice(numbers.length, 2 * numbers.length)],
      });
    }
    expect(together.get('losses')!.length).toBe(models);
  });

  test('are conditioned as a training step does it, and nothing but their buffers changes', async () => {
    const device = kernelDevices.at(-1)!;
    const trained = await withPopulation(device, compute);
    await withPopulation(device, async ({ net, weights, buffers, data, order }) => {
      const before = await readAll(weights);
      conditionPopulation(net, weights, buffers, data.images, order);
      expect(await readAll(weights)).toEqual(before);
      const initial = stacked(resnet.buffers, 0, models);
      for (const [name, values] of await readAll(buffers)) {
        expect(values, name).toEqual(Float32Array.from(trained.get(name)!));
        expect(values).not.toEqual(await read(initial.get(name)!));
      }
      tf.dispose([...initial.values()]);
    });
  });

  test('of chains have logits too', async () => {
    await tf.setBackend('cpu');
    const weights = [1, 2].map((seed) => randomWeights(cnnSmall, seed));
    const images = [0, 1].map((i) => new Random(testSeed, 'chain', i).normals(784));
    const logits = tf.tidy(() => {
      const tensors = new Map(
        cnnSmall.parameters.map(({ name, shape }) => [
          name,
          tf.tensor(
            weights.flatMap((model) => [...model.get(name)!]),
            [2, ...shape],
          ),
        ]),
      );
      const x = tf.tensor4d(
        images.flatMap((one) => [...one]),
        [2, 28, 28, 1],
      );
      return populationLogits(
        { architecture: cnnSmall, activation: 'tanh' },
        tensors,
        new Map(),
        x,
      ).dataSync();
    });
    const expected = weights.map((model) =>
      oracleLogits(cnnSmall, model, images, Math.tanh, { training: false }),
    );
    expectClose(logits, expected.flat(2), 1e-4);
  });
});
