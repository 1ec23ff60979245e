import { beforeAll, describe, expect, test } from 'bun:test';
import { startDevice } from '../../src/engine/device.ts';
import { oneCycle } from '../../src/engine/one-cycle.ts';
import { Adam, AdamW, type Hyper, type Optimizer, type Parameter, Sgd } from '../../src/engine/optimizers.ts';
import { Random } from '../../src/engine/random.ts';
import { tf } from '../../src/engine/tf.ts';
import { expectClose, freshSeed } from './compare.ts';
import { testedDevices } from './devices.ts';

beforeAll(async () => {
  for (const name of testedDevices) await startDevice(name, { threads: 1 });
});

const steps = 20;
const weightDecay = 0.1;
/** Large rates, so that a slip in the formula shows. */
const scheduled = (step: number): Hyper => oneCycle(step, steps, 0.05);
const constant = (): Hyper => ({ learningRate: 0.05 });

/** One number's way under an optimiser, in double precision: gives the next value for a gradient. */
type Oracle = (decay: number) => (p: number, g: number, step: number) => number;

const adamOracle =
  (decoupled: boolean, hyper: (step: number) => Hyper): Oracle =>
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
      return kept - (learningRate * mHat) / (Math.sqrt(vHat) + 1e-8);
    };
  };

const sgdOracle =
  (momentum: number): Oracle =>
  (decay) => {
    let velocity: number | undefined;
    return (p, g, step) => {
      const gradient = g + decay * p;
      velocity = velocity === undefined ? gradient : momentum * velocity + gradient;
      return p - scheduled(step).learningRate * velocity;
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
  { name: 'SGD', make: (p) => new Sgd(p, { weightDecay }), hyper: scheduled, oracle: sgdOracle(0) },
  {
    name: 'SGD with momentum',
    make: (p) => new Sgd(p, { weightDecay, momentum: 0.9 }),
    hyper: scheduled,
    oracle: sgdOracle(0.9),
  },
];

const variable = (values: Float32Array, shape: number[]) =>
  tf.tidy(() => tf.variable(tf.tensor(values.slice(), shape)));

/** A matrix that decays and a bias that does not. Gradients get small, down to the size of epsilon. */
function problem() {
  const random = new Random(freshSeed, 'optimizers');
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

const numbersOf = (parameters: Parameter[]) => parameters.map(({ variable }) => [...variable.dataSync()]);

describe.each(testedDevices)(`on %s, with numbers of seed ${freshSeed}`, (backend) => {
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
        expectClose(variable.dataSync(), expected, 3e-6);
      }
      optimizer.dispose();
      for (const { variable } of parameters) variable.dispose();
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
    const saved = numbersOf(parameters);
    late.forEach((numbers, i) => {
      step(first, numbers, hyper(7 + i));
    });
    const uninterrupted = numbersOf(parameters);

    parameters.forEach(({ variable }, i) => {
      tf.tidy(() => variable.assign(tf.tensor(saved[i] as number[], variable.shape)));
    });
    const second = make(parameters);
    second.restore(JSON.parse(JSON.stringify(state), revive));
    late.forEach((numbers, i) => {
      step(second, numbers, hyper(7 + i));
    });
    expect(numbersOf(parameters)).toEqual(uninterrupted);
    tf.dispose(parameters.map(({ variable }) => variable));
    first.dispose();
    second.dispose();
  });
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
