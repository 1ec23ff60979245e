/** Training a population of small networks: Adam on batches of 10, as the paper's zoos have. */

import type { Json } from '../../src/base/json.ts';
import { Random } from '../../src/base/random.ts';
import type { ZooSettings } from '../../src/experiment/types.ts';
import type { Architecture } from '../../src/nets/architecture.ts';
import { populationScores } from '../../src/nets/population.ts';
import { defaults } from '../../src/stages/catalogue.ts';
import { trainingOperations } from '../../src/stages/operations.ts';
import { tf } from '../../src/tensor/tf.ts';
import { type Member, members } from '../../src/zoo/members.ts';
import { PopulationTraining } from '../../src/zoo/train.ts';
import type { Row, Variant } from '../row.ts';

/** Of the paper's MNIST zoo. */
export const mnistZoo: Settings = {
  activation: 'tanh',
  init: 'uniform',
  learning_rate: 3e-4,
  weight_decay: 0,
};

interface Choices extends Pick<Row, 'device' | 'wanted'> {
  prefix?: string;
  models: number;
  /** Images of the epoch that a step is. */
  images: number;
  variants: readonly [Variant, ...Variant[]];
}

/** On a CPU, where that ratio is wanted. */
export const onCpu = (wanted: number): Choices => ({
  ...{ device: 'native', wanted, models: 64, images: 100 },
  variants: [
    { name: 'PyTorch, one thread' },
    { name: 'PyTorch, all threads' },
    { name: 'PyTorch, a process on each core', informative: true },
    { name: 'PyTorch, vmap', informative: true },
  ],
});

type Settings = Pick<ZooSettings, 'activation' | 'init' | 'learning_rate' | 'weight_decay'>;

/** The row of one architecture, trained as the paper's zoo of it. */
export function zooTraining(
  architecture: Architecture,
  { prefix = '', device, wanted, models, images, variants }: Choices,
  settings: Settings,
): Row {
  const zoo = { ...defaults.zoo, ...settings, models };
  const { batch_size, learning_rate, weight_decay, activation } = zoo;
  return {
    name: `${prefix}zoo-${architecture.name}`,
    description: `${models} ${architecture.name} trained in models_at_once on ${images} images each, batch ${batch_size}`,
    ...{ device, wanted, stepsPerTurn: 1 },
    operations: models * (images / batch_size) * trainingOperations(architecture, batch_size),
    images: models * images,
    other: {
      script: 'zoo_training.py',
      config: {
        ...{ batch_size, learning_rate, weight_decay, activation },
        layers: architecture.layers as unknown as Json,
      },
      variants,
    },
    setup(steps) {
      const config = {
        ...zoo,
        architecture: architecture.name as 'cnn-small',
        // Nothing is kept: no such epoch comes.
        checkpoints: [steps + 1] as [number],
      };
      const random = new Random(0, 'bench', 'images');
      const shape: [number, number, number, number] = [images, ...architecture.input];
      const pixels = random.normals(shape.reduce((a, b) => a * b));
      const labels = Int32Array.from({ length: images }, () => random.integer(architecture.classes));
      const data = { images: tf.tensor4d(pixels, shape), labels: tf.tensor1d(labels, 'int32') };
      const population = members(config) as [Member, ...Member[]];
      const training = new PopulationTraining(architecture, config, population, { train: data, test: data });

      return training.state().then(({ weights }) => ({
        tensors: [
          ...architecture.parameters.map(({ name, shape }) => ({
            name,
            shape: [models, ...shape],
            data: Float32Array.from(weights.get(name) as Float32Array),
          })),
          { name: 'input.images', shape, data: pixels },
          { name: 'input.labels', shape: [images], data: labels },
          { name: 'input.orders', shape: [steps, models, images], data: orders(population, steps, images) },
        ],
        step: () => training.trainEpoch(),
        finish: async () => void (device === 'gpu' && (await training.state())),
        /** Each model's loss on all of the images. */
        async values() {
          const state = await training.state();
          const weights = new Map(
            architecture.parameters.map(({ name, shape }) => [
              name,
              tf.tensor(state.weights.get(name) as Float32Array, [models, ...shape]),
            ]),
          );
          const { losses } = await populationScores({ architecture, activation }, weights, new Map(), data);
          tf.dispose([...weights.values()]);
          return [...losses];
        },
      }));
    },
  };
}

/** The order of the images [epochs, models, images] in which training takes them. */
function orders(population: readonly Member[], epochs: number, images: number): Int32Array {
  const models = population.length;
  const all = new Int32Array(epochs * models * images);
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const [model, { seed }] of population.entries()) {
      const order = new Random(seed, 'zoo', 'order', epoch + 1).permutation(images);
      all.set(order, (epoch * models + model) * images);
    }
  }
  return all;
}
