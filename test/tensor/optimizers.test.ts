import { beforeAll, describe, expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import { oneCycle } from '../../src/tensor/one-cycle.ts';
import {
  Adam,
  AdamW,
  type Hyper,
  type Optimizer,
  type Parameter,
  type PerModel,
  Sgd,
} from '../../src/tensor/optimizers.ts';
import { tf } from '../../src/tensor/tf.ts';
import { testSeed } from '../seed.ts';
import { expectClose } from './compare.ts';
import { startTested, testedDevices } from './devices.ts';

beforeAll(async () => {
  await startTested(testedDevices, 1);
});

const steps = 20;
const weightDecay = 0.1;
/** Large rates, so that a slip in the formula shows. */
type Scheduled = Hyper & { learningRate: number };
const scheduled = (step: number): Scheduled => oneCycle(step, steps, 0.05);
const constant = (): Scheduled => ({ learningRate: 0.05 });

/** One number's way under an optimiser, in double precision: gives the next value for a gradient. */
type Oracle = (decay: number) => (p: number, g: number, step: number) => number;

const adamOracle =
  (decoupled: boolean, hyper: (step: number) => Scheduled, epsilon = 1e-8): Oracle =>
  (decay) => {
    let [m, v] = [0, 0];
    return (p, g, step) => {
      const { learningRate, beta1 = 0.9 } = hyper(step);
      const gradient = decoupled ? g : g + decay * p;
      const kept = decoupled ? p - learningRate * decay * p : p;
      m = beta1 * m + (1 - beta1) * gradient;
      v = 0.999 * v + 0.001 * gradient ** 2;
      const mHat = m / (1 - beta1 ** (step + 1));
      const vHat = v / (1 - 0.999 ** (step + 1));
      return kept - (learningRate * mHat) / (Math.sqrt(vHat) + epsilon);
    };
  };

const sgdOracle =
  (momentum: number, hyper: (step: number) => Scheduled): Oracle =>
  (decay) => {
    let velocity: number | undefined;
    return (p, g, step) => {
      const { learningRate, beta1 = momentum } = hyper(step);
      const gradient = g + decay * p;
      velocity = velocity === undefined || momentum === 0 ? gradient : beta1 * velocity + gradient;
      return p - learningRate * velocity;
    };
  };

interface Case {
  name: string;
  make: (parameters: Parameter[]) => Optimizer;
  hyper: (step: number) => Hyper;
  oracle: Oracle;
}

const cases: Case[] = [
  {
    name: 'AdamW',
    make: (p) => new AdamW(p, { weightDecay }),
    hyper: constant,
    oracle: adamOracle(true, constant),
  },
  {
    name: 'AdamW, beta1 cycling',
    make: (p) => new AdamW(p, { weightDecay }),
    hyper: scheduled,
    oracle: adamOracle(true, scheduled),
  },
  {
    name: 'Adam',
    make: (p) => new Adam(p, { weightDecay }),
    hyper: constant,
    oracle: adamOracle(false, constant),
  },
  {
    name: 'AdamW, epsilon as large as the gradients',
    make: (p) => new AdamW(p, { weightDecay, epsilon: 0.5 }),
    hyper: constant,
    oracle: adamOracle(true, constant, 0.5),
  },
  {
    name: 'SGD',
    make: (p) => new Sgd(p, { weightDecay }),
    hyper: scheduled,
    oracle: sgdOracle(0, scheduled),
  },
  {
    name: 'SGD with momentum',
    make: (p) => new Sgd(p, { weightDecay, momentum: 0.9 }),
    hyper: constant,
    oracle: sgdOracle(0.9, constant),
  },
  {
    name: 'SGD with momentum, cycling',
    make: (p) => new Sgd(p, { weightDecay, momentum: 0.9 }),
    hyper: scheduled,
    oracle: sgdOracle(0.9, scheduled),
  },
];

const variable = (values: Float32Array, shape: number[]) =>
  tf.tidy(() => tf.variable(tf.tensor(values.slice(), shape)));

/** A matrix that decays and a bias that does not. Gradients get small, down to the size of epsilon. */
function problem() {
  const random = new Random(testSeed, 'optimizers');
  const start = { matrix: random.normals(15), bias: random.normals(3) };
  const parameters: Parameter[] = [
    { name: 'matrix', variable: variable(start.matrix, [3, 5]), decay: true },
    { name: 'bias', variable: variable(start.bias, [3]), decay: false },
  ];
  const gradients = Array.from({ length: steps }, (_, step) => ({
    matrix: random.normals(15).map((g) => g * 10 ** -(step % 9)),
    bias: random.normals(3),
  }));
  return { start, parameters, gradients };
}

type Numbers = ReturnType<typeof problem>['gradients'][number];

function step(optimizer: Optimizer, { matrix, bias }: Numbers, hyper: Hyper): void {
  const gradients = { matrix: tf.tensor(matrix, [3, 5]), bias: tf.tensor(bias, [3]) };
  optimizer.step(gradients, hyper);
  tf.dispose(gradients);
}

const numbersOf = (parameters: Parameter[]) =>
  Promise.all(parameters.map(async ({ variable }) => [...(await variable.data())]));

describe.each(testedDevices)(`on %s`, (backend) => {
  test.each(cases)(
    '$name: 20 steps are those of the formula in double precision',
    async ({ make, hyper, oracle }) => {
      await tf.setBackend(backend);
      const before = tf.memory().numTensors;
      const { start, parameters, gradients } = problem();
      const optimizer = make(parameters);
      gradients.forEach((numbers, i) => {
        step(optimizer, numbers, hyper(i));
      });
      for (const { name, variable, decay } of parameters) {
        const key = name as keyof Numbers;
        const expected = Array.from(start[key], (value, i) => {
          const move = oracle(decay ? weightDecay : 0);
          return gradients.reduce((p, numbers, at) => move(p, numbers[key][i] as number, at), value);
        });
        expectClose(await variable.data(), expected, 3e-6);
      }
      optimizer.dispose();
      for (const { variable } of parameters) variable.dispose();
      expect(tf.memory().numTensors).toBe(before);
    },
  );

  test.each([
    ['AdamW', (p, decay) => new AdamW(p, { weightDecay: decay })],
    ['Adam', (p, decay) => new Adam(p, { weightDecay: decay })],
    ['Sgd', (p, decay) => new Sgd(p, { weightDecay: decay, momentum: 0.9 })],
  ] as [string, (p: Parameter[], decay: PerModel) => Optimizer][])(
    '%s of many models with rates of their own does what it does for each alone',
    async (_, make) => {
      await tf.setBackend(backend);
      const random = new Random(testSeed, 'models');
      const models = 5;
      const rates = Array.from({ length: models }, () => random.uniform(0.001, 0.1));
      const decays = Array.from({ length: models }, () => random.uniform(0, 0.3));
      // Eight numbers a model are two vectors on webgpu.
      for (const size of [7, 8]) {
        const start = random.normals(models * size);
        const gradients = Array.from({ length: 4 }, () => random.normals(models * size));
        const run = async (from: number, to: number, learningRate: PerModel, decay: PerModel) => {
          const cut = (values: Float32Array) => values.subarray(from * size, to * size);
          const shape = [to - from, size];
          const parameter = { name: 'w', variable: variable(cut(start), shape), decay: true };
          const optimizer = make([parameter], decay);
          for (const numbers of gradients) {
            tf.tidy(() => optimizer.step({ w: tf.tensor(cut(numbers), shape) }, { learningRate }));
          }
          const result = (await parameter.variable.data<'float32'>()).slice();
          optimizer.dispose();
          parameter.variable.dispose();
          return result;
        };
        for (const learningRate of [rates, 0.05]) {
          const together = await run(0, models, learningRate, decays);
          for (const [m, decay] of decays.entries()) {
            const alone = await run(m, m + 1, [learningRate].flat()[m] ?? 0.05, decay);
            expectClose(together.subarray(m * size, (m + 1) * size), alone, 1e-6);
          }
        }
      }
    },
  );

  test.each([
    ['AdamW', (p, decay) => new AdamW(p, { weightDecay: decay })],
    ['Adam', (p, decay) => new Adam(p, { weightDecay: decay })],
    ['Sgd', (p, decay) => new Sgd(p, { weightDecay: decay, momentum: 0.9 })],
  ] as [string, (p: Parameter[], decay: PerModel) => Optimizer][])(
    '%s of many parameters, some of one shape, does what it does for each alone',
    async (_, make) => {
      await tf.setBackend(backend);
      const random = new Random(testSeed, 'parameters');
      const rates = [0.01, 0.1];
      const decays = [0.3, 0.1];
      // On tensorflow no more than two of the large ones are updated together.
      const large = backend === 'tensorflow' ? 2 ** 20 : 6;
      const shapes = [[2, 3], [2, large], [2, 3], [2], [2, large], [2, 3], [2, large]];
      const numbers = shapes.map((shape) => random.normals(3 * shape.reduce((a, b) => a * b)));
      const run = async (which: number[]): Promise<Float32Array[]> => {
        const size = (i: number) => numbers[i]!.length / 3;
        const parameters = which.map((i) => {
          const start = numbers[i]!.subarray(0, size(i));
          return { name: `p${i}`, variable: variable(start, shapes[i]!), decay: i !== 5 };
        });
        const optimizer = make(parameters, decays);
        for (const at of [1, 2]) {
          tf.tidy(() => {
            const gradients = which.map((i) => {
              const values = numbers[i]!.subarray(at * size(i), (at + 1) * size(i));
              return [`p${i}`, tf.tensor(values.slice(), shapes[i])] as const;
            });
            optimizer.step(Object.fromEntries(gradients), { learningRate: rates });
          });
        }
        const results = await Promise.all(parameters.map(({ variable }) => variable.data<'float32'>()));
        optimizer.dispose();
        tf.dispose(parameters.map(({ variable }) => variable));
        return results.map((values) => values.slice());
      };
      const before = tf.memory().numTensors;
      const together = await run([...shapes.keys()]);
      for (const i of shapes.keys()) {
        const [alone] = await run([i]);
        expectClose(together[i]!.subarray(0, 100), alone!.subarray(0, 100), 1e-6);
        expectClose(together[i]!.subarray(-100), alone!.subarray(-100), 1e-6);
      }
      expect(tf.memory().numTensors).toBe(before);
    },
  );

  test.each(cases)('$name: goes on from a saved state as if never interrupted', async ({ make, hyper }) => {
    await tf.setBackend(backend);
    const { parameters, gradients } = problem();
    const first = make(parameters);
    const [early, late] = [gradients.slice(0, 7), gradients.slice(7, 12)];
    early.forEach((numbers, i) => {
      step(first, numbers, hyper(i));
    });
    const state = await first.state();
    const saved = await numbersOf(parameters);
    late.forEach((numbers, i) => {
      step(first, numbers, hyper(7 + i));
    });
    const uninterrupted = await numbersOf(parameters);

    parameters.forEach(({ variable }, i) => {
      tf.tidy(() => variable.assign(tf.tensor(saved[i] as number[], variable.shape)));
    });
    const second = make(parameters);
    second.restore(JSON.parse(JSON.stringify(state), revive));
    late.forEach((numbers, i) => {
      step(second, numbers, hyper(7 + i));
    });
    expect(await numbersOf(parameters)).toEqual(uninterrupted);
    tf.dispose(parameters.map(({ variable }) => variable));
    first.dispose();
    second.dispose();
  });
});

// Zoos that were trained before there was a kernel are still used beside those that it trains.
test.each(testedDevices)('a step of SGD on %s gives the bits that plain operations give', async (device) => {
  await tf.setBackend(device);
  const random = new Random(testSeed, 'bits');
  const [start, ...gradients] = [0, 1, 2].map(() => random.normals(3 * 1001)) as [Float32Array, Float32Array];
  const [rates, decays] = [
    [0.01, 0.3, 0.02],
    [5e-4, 0, 0.1],
  ];
  const parameter = { name: 'w', variable: variable(start, [3, 1001]), decay: true };
  const optimizer = new Sgd([parameter], { weightDecay: decays, momentum: 0.9 });
  const [rate, decay] = [tf.tensor2d(rates, [3, 1]), tf.tensor2d(decays, [3, 1])];
  let p: tf.Tensor = tf.tensor(start, [3, 1001]);
  let velocity: tf.Tensor = tf.zeros([3, 1001]);
  for (const numbers of gradients) {
    const w = tf.tensor(numbers, [3, 1001]);
    optimizer.step({ w }, { learningRate: rates });
    velocity = tf.add(tf.mul(velocity, 0.9), tf.add(w, tf.mul(p, decay)));
    p = tf.sub(p, tf.mul(velocity, rate));
  }
  expect(await parameter.variable.data<'float32'>()).toEqual(await p.data<'float32'>());
  optimizer.dispose();
  parameter.variable.dispose();
});

/** Typed arrays come out of JSON as objects of numbered fields. */
function revive(_: string, value: unknown): unknown {
  const isArray = typeof value === 'object' && value !== null && '0' in value;
  return isArray ? Float32Array.from(Object.values(value) as number[]) : value;
}

test('a parameter without gradient is an error that names it', () => {
  const { parameters } = problem();
  const optimizer = new AdamW(parameters);
  const run = () => optimizer.step({}, { learningRate: 1 });
  expect(run).toThrow('The parameter matrix has no gradient: the loss does not depend on it.');
});

test('a state of other parameters is an error, and changes nothing', async () => {
  const { parameters } = problem();
  const optimizer = new AdamW(parameters);
  const state = await optimizer.state();
  const other = { ...state, averages: { ...state.averages, 'bias.m': new Float32Array(4) } };
  expect(() => optimizer.restore(other)).toThrow('bias.m has 4 numbers there and 3 here');
  expect(() => optimizer.restore({ ...state, averages: {} })).toThrow('matrix.m has no numbers there');
  expect((await optimizer.state()).averages['bias.m']).toEqual(new Float32Array(3));
});

test.each(testedDevices)('rates of another number of models are an error on %s', async (device) => {
  await tf.setBackend(device);
  for (const Kind of [Sgd, AdamW]) {
    const parameter = { name: 'w', variable: variable(new Float32Array(6), [3, 2]), decay: true };
    const optimizer = new Kind([parameter]);
    const gradients = { w: tf.zeros([3, 2]) };
    expect(() => optimizer.step(gradients, { learningRate: [0.1, 0.2] })).toThrow(
      'There are 2 rates for 3 models, whose parameter is [3,2].',
    );
    optimizer.dispose();
    tf.dispose([gradients.w, parameter.variable]);
  }
});
