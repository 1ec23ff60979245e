/** A training step of ResNet-18 for 32x32 images: SGD with momentum, as the paper's ResNet zoos are trained. */

import { Random } from '../../src/base/random.ts';
import { forward } from '../../src/nets/forward.ts';
import { getArchitecture } from '../../src/nets/registry.ts';
import { trainingOperations } from '../../src/stages/operations.ts';
import { Sgd } from '../../src/tensor/optimizers.ts';
import { tf } from '../../src/tensor/tf.ts';
import type { Row, Variant } from '../row.ts';

const net = getArchitecture('resnet18', { input: [32, 32, 3], classes: 10, width: null });
const optimizer = { learning_rate: 0.01, momentum: 0.9, weight_decay: 5e-4 };

/** Kaiming-normal weights; normalisation begins with gain 1, variance 1, and everything else 0. */
function initialValues(name: string, shape: readonly number[]): Float32Array {
  const size = shape.reduce((a, b) => a * b, 1);
  if (shape.length === 1) return new Float32Array(size).fill(/weight|var/.test(name) ? 1 : 0);
  const deviation = Math.sqrt((2 * (shape[0] as number)) / size);
  return new Random(0, 'bench', 'resnet18', name).normals(size).map((value) => value * deviation);
}

/** How PyTorch may lay out images on a CPU. */
export const byFormat = [{ name: 'PyTorch, contiguous' }, { name: 'PyTorch, channels last' }] as const;

interface Choices extends Pick<Row, 'name' | 'device' | 'wanted'> {
  batch: number;
  stepsPerTurn?: number;
  variants: readonly [Variant, ...Variant[]];
}

/** The row of batches of that size. */
export const resnet18Step = ({ batch, variants, stepsPerTurn = 1, ...row }: Choices): Row => ({
  ...row,
  description: `a ResNet-18 training step on ${batch} images of 32 x 32`,
  stepsPerTurn,
  operations: trainingOperations(net, batch),
  images: batch,
  other: { script: 'resnet18_step.py', config: optimizer, variants },
  setup() {
    const values = [...net.parameters, ...net.buffers].map(({ name, shape }) => ({
      ...{ name, shape },
      data: initialValues(name, shape),
    }));
    const variables = new Map(
      values.map(({ name, shape, data }) => [name, tf.tidy(() => tf.variable(tf.tensor(data, shape)))]),
    );
    const parameters = net.parameters.map(({ name }) => ({
      ...{ name, decay: true },
      variable: variables.get(name) as tf.Variable,
    }));
    const list = parameters.map(({ variable }) => variable);
    const random = new Random(0, 'bench', 'images');
    const shape: [number, number, number, number] = [batch, ...net.input];
    const pixels = random.normals(shape.reduce((a, b) => a * b));
    const classes = Int32Array.from({ length: batch }, () => random.integer(net.classes));
    const images = tf.tensor4d(pixels, shape);
    const labels = tf.tidy(() => tf.oneHot(tf.tensor1d(classes, 'int32'), net.classes));
    const { learning_rate, momentum, weight_decay } = optimizer;
    const sgd = new Sgd(parameters, { momentum, weightDecay: weight_decay });
    let loss = tf.scalar(0);
    return {
      tensors: [
        ...values,
        { name: 'input.images', shape, data: pixels },
        { name: 'input.labels', shape: [batch], data: classes },
      ],
      step() {
        tf.tidy(() => {
          const { value, grads } = tf.variableGrads(() => {
            const logits = forward(net, variables, variables, images, 'relu', { training: true });
            return tf.neg(tf.div(tf.sum(tf.mul(tf.logSoftmax(logits), labels)), batch)) as tf.Scalar;
          }, list);
          const named = parameters.map(({ name, variable }) => [name, grads[variable.name] as tf.Tensor]);
          sgd.step(Object.fromEntries(named), { learningRate: learning_rate });
          loss.dispose();
          loss = tf.keep(tf.clone(value));
        });
      },
      finish: async () => void (await loss.data()),
      values: async () => [...(await loss.data())],
    };
  },
});
