/** Method flow: components against the singular value decomposition, the loss against float64, and a flow that learns a known distribution. */
import { beforeAll, describe, expect, test } from 'bun:test';
import { Matrix, SVD } from 'ml-matrix';
import { Random } from '../../src/base/random.ts';
import { getArchitecture } from '../../src/nets/registry.ts';
import { componentsOf } from '../../src/sane/flow/components.ts';
import { carry, drawPairs, matchFlow, matchingLoss, type Pairs } from '../../src/sane/flow/matching.ts';
import { networksByFlow } from '../../src/sane/flow/networks.ts';
import { VelocityNetwork } from '../../src/sane/flow/velocity.ts';
import { startDevice } from '../../src/tensor/devices/registry.ts';
import { tf } from '../../src/tensor/tf.ts';
import { cnnSmall, randomWeights } from '../nets/networks.ts';
import { testSeed } from '../seed.ts';

beforeAll(async () => {
  await startDevice('wasm', { threads: 1 });
});

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, x, i) => sum + x * (b[i] as number), 0);

describe('components', () => {
  const vectors = (n: number, width: number) => {
    const random = new Random(testSeed, 'flow', n, width);
    return Array.from({ length: n }, () =>
      random.normals(width).map((x, j) => x / (1 + (j % 5)) + 3 + (j % 2)),
    );
  };

  // Fewer vectors than numbers, more, and as many.
  test.each([
    [7, 31],
    [13, 5],
    [9, 9],
  ])('of %d vectors of %d numbers are those of a singular value decomposition', (n, width) => {
    const rows = vectors(n, width);
    const centred = new Matrix(rows.map((row) => [...row])).center('column');
    const { diagonal, leftSingularVectors } = new SVD(centred, { autoTranspose: true });
    const rank = Math.min(n - 1, width);
    const { scores } = componentsOf(rows, null);
    for (const score of scores) expect(score.length).toBe(rank);
    for (let k = 0; k < rank; k++) {
      expect(diagonal[k]).toBeGreaterThan(1e-3);
      const ours = scores.map((score) => score[k] as number);
      const theirs = leftSingularVectors.getColumn(k).map((x) => Math.sqrt(n) * x);
      const sign = Math.sign(dot(ours, theirs));
      for (const [i, x] of ours.entries()) expect(x).toBeCloseTo(sign * (theirs[i] as number), 6);
      // Standardised.
      expect(ours.reduce((sum, x) => sum + x, 0) / n).toBeCloseTo(0, 9);
      expect(dot(ours, ours) / n).toBeCloseTo(1, 9);
    }
  });

  test('lead back to the vectors, and to their projections where some are left out', () => {
    const rows = vectors(8, 23);
    const all = componentsOf(rows, null);
    for (const [i, row] of rows.entries())
      for (const [w, x] of all.vectorOf(all.scores[i] as Float64Array).entries())
        expect(x).toBeCloseTo(row[w] as number, 5);
    const centred = new Matrix(rows.map((row) => [...row]));
    const mean = centred.mean('column');
    const { rightSingularVectors: axes } = new SVD(centred.center('column'), { autoTranspose: true });
    const some = componentsOf(rows, 3);
    const back = some.vectorOf(some.scores[5] as Float64Array);
    const offset = centred.getRow(5);
    const shares = [0, 1, 2].map((k) => dot(offset, axes.getColumn(k)));
    for (const [w, x] of back.entries()) {
      const expected =
        (mean[w] as number) + shares.reduce((sum, share, k) => sum + share * axes.get(w, k), 0);
      expect(x).toBeCloseTo(expected, 5);
    }
  });

  test('that no vectors differ in are left out', () => {
    const [a, b] = vectors(2, 11) as [Float32Array, Float32Array];
    expect(componentsOf([a, b, a, b, a], null).scores[0]).toHaveLength(1);
    expect(componentsOf([a, a, a], null).scores[0]).toHaveLength(0);
  });
});

/** A network whose output is not 0. */
function network(shape: { size: number; width: number; layers: number }): VelocityNetwork {
  const made = new VelocityNetwork(shape, testSeed);
  for (const { name, variable } of made.trainable) {
    const values = new Random(testSeed, 'flow', 'value', name).normals(variable.size);
    tf.tidy(() =>
      variable.assign(
        tf.tensor(
          values.map((x) => 0.4 * x),
          variable.shape,
        ),
      ),
    );
  }
  return made;
}

const weightsOf = (of: VelocityNetwork) =>
  new Map(of.trainable.map(({ name, variable }) => [name, Float64Array.from(variable.dataSync())]));

/** The error function by its series, float64. */
function erf(x: number): number {
  let [term, sum] = [x, x];
  for (let n = 1; n < 120; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}
const gelu64 = (x: number) => (x / 2) * (1 + erf(x / Math.SQRT2));

/** The velocity at a point by its definition, float64. */
function velocity64(weights: Map<string, Float64Array>, layers: number, point: number[], t: number) {
  const linear = (name: string, x: number[]) => {
    const matrix = weights.get(`${name}.weight`) as Float64Array;
    return Array.from(
      weights.get(`${name}.bias`) as Float64Array,
      (bias, o) => bias + dot(matrix.subarray(o * x.length, (o + 1) * x.length), x),
    );
  };
  let x = [...point, ...linear('time', [t]).map(gelu64)];
  for (let l = 0; l < layers; l++) {
    const y = linear(`hidden.${l}`, x);
    const mean = y.reduce((sum, v) => sum + v, 0) / y.length;
    const variance = y.reduce((sum, v) => sum + (v - mean) ** 2, 0) / y.length;
    const [gain, bias] = [`norm.${l}.weight`, `norm.${l}.bias`].map((name) => weights.get(name)) as [
      Float64Array,
      Float64Array,
    ];
    x = y.map((v, i) =>
      gelu64(((v - mean) / Math.sqrt(variance + 1e-5)) * (gain[i] as number) + (bias[i] as number)),
    );
  }
  return linear('out', x);
}

function loss64(weights: Map<string, Float64Array>, layers: number, { noise, points, times }: Pairs) {
  const size = noise.length / times.length;
  let sum = 0;
  for (const [row, t] of times.entries()) {
    const part = (values: Float32Array) => Array.from(values.subarray(row * size, (row + 1) * size));
    const [from, to] = [part(noise), part(points)];
    const at = from.map((x, i) => (1 - t) * x + t * (to[i] as number));
    for (const [i, v] of velocity64(weights, layers, at, t).entries())
      sum += (v - ((to[i] as number) - (from[i] as number))) ** 2;
  }
  return sum / noise.length;
}

describe('matching', () => {
  test.each([
    { size: 3, width: 7, layers: 2 },
    { size: 5, width: 4, layers: 1 },
  ])('has the loss and the gradients of float64 code: %o', async (shape) => {
    const ours = network(shape);
    const random = new Random(testSeed, 'flow', 'pairs');
    const points = Array.from({ length: 4 }, () => random.normals(shape.size));
    const pairs = drawPairs(points, 6, random);
    const variables = ours.trainable.map(({ variable }) => variable);
    const { value, grads } = tf.variableGrads(() => matchingLoss(ours, pairs), variables);
    const weights = weightsOf(ours);
    expect((await value.data())[0]).toBeCloseTo(loss64(weights, shape.layers, pairs), 4);
    for (const { name, variable } of ours.trainable) {
      const gradient = await (grads[variable.name] as tf.Tensor).data();
      const values = weights.get(name) as Float64Array;
      for (const i of [0, values.length - 1]) {
        const kept = values[i] as number;
        const near = [-1e-4, 1e-4].map((step) => {
          values[i] = kept + step;
          return loss64(weights, shape.layers, pairs);
        }) as [number, number];
        values[i] = kept;
        expect(gradient[i]).toBeCloseTo((near[1] - near[0]) / 2e-4, 3);
      }
    }
    tf.dispose([value, ...Object.values(grads)]);
    ours.dispose();
  });

  test('draws points with replacement, and times between 0 and 1', () => {
    const points = [Float32Array.of(1, 2), Float32Array.of(3, 4), Float32Array.of(5, 6)];
    const { noise, points: drawn, times } = drawPairs(points, 200, new Random(testSeed, 'flow', 'draws'));
    const seen = new Set(
      Array.from({ length: 200 }, (_, row) => drawn.subarray(2 * row, 2 * row + 2).join()),
    );
    expect([...seen].sort()).toEqual(['1,2', '3,4', '5,6']);
    expect(noise.length).toBe(400);
    expect(times.every((t) => t >= 0 && t < 1)).toBe(true);
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(0.9);
  });

  test('carries points as fine steps of float64 code do', async () => {
    const shape = { size: 2, width: 6, layers: 1 };
    const ours = network(shape);
    const weights = weightsOf(ours);
    const starts = [Float32Array.of(0.3, -0.8), Float32Array.of(-1.2, 0.5), Float32Array.of(0, 1.5)];
    const before = tf.memory().numTensors;
    const ends = await carry(ours, starts, 20);
    expect(tf.memory().numTensors).toBe(before);
    for (const [row, start] of starts.entries()) {
      let x = Array.from(start);
      // Euler's method at the middle of each step.
      for (let step = 0; step < 200; step++) {
        const [t, dt] = [step / 200, 1 / 200];
        const half = velocity64(weights, 1, x, t).map((v, i) => (x[i] as number) + (v * dt) / 2);
        x = velocity64(weights, 1, half, t + dt / 2).map((v, i) => (x[i] as number) + v * dt);
      }
      for (const [i, end] of (ends[row] as Float32Array).entries())
        expect(end).toBeCloseTo(x[i] as number, 3);
    }
    ours.dispose();
  });

  test('learns a mixture of two normal distributions, the same each time, and leaves no tensor', async () => {
    const random = new Random(testSeed, 'flow', 'mixture');
    const points = Array.from({ length: 600 }, (_, i) => {
      const side = i % 3 === 0 ? -1.5 : 1;
      return Float32Array.of(side + 0.3 * random.normal(), -side / 2 + 0.3 * random.normal());
    });
    const before = tf.memory().numTensors;
    const learn = async (steps: number) => {
      const flow = new VelocityNetwork({ size: 2, width: 32, layers: 2 }, testSeed);
      const settings = { steps, batch_size: 128, learning_rate: 0.01 };
      await matchFlow(flow, points, settings, new Random(testSeed, 'flow', 'training'));
      const noise = Array.from({ length: 600 }, (_, i) => new Random(testSeed, 'flow', i).normals(2));
      const drawn = await carry(flow, noise, 10);
      flow.dispose();
      return drawn;
    };
    const drawn = await learn(400);
    const moments = (all: readonly Float32Array[]) => {
      const of = (f: (x: Float32Array) => number) => all.reduce((sum, x) => sum + f(x), 0) / all.length;
      const [m0, m1] = [of((x) => x[0] as number), of((x) => x[1] as number)];
      return [
        ...[m0, m1, of((x) => ((x[0] as number) - m0) ** 2), of((x) => ((x[1] as number) - m1) ** 2)],
        of((x) => ((x[0] as number) - m0) * ((x[1] as number) - m1)),
        // The share of the left part, and what lies between both.
        of((x) => Number((x[0] as number) < -0.25)),
        of((x) => Number(Math.abs((x[0] as number) + 0.25) < 0.3)),
      ];
    };
    const expected = moments(points);
    for (const [i, x] of moments(drawn).entries())
      expect(Math.abs(x - (expected[i] as number))).toBeLessThan(0.15);
    expect(await learn(10)).toEqual(await learn(10));
    expect(tf.memory().numTensors).toBe(before);
  });

  test('says that it diverged, and leaves no tensor', async () => {
    const before = tf.memory().numTensors;
    const flow = new VelocityNetwork({ size: 2, width: 4, layers: 1 }, testSeed);
    const settings = { steps: 4, batch_size: 3, learning_rate: 1e30 };
    const points = [Float32Array.of(1, 2), Float32Array.of(-1, 0)];
    await expect(matchFlow(flow, points, settings, new Random(testSeed, 'flow'))).rejects.toThrow(
      /^the flow's training diverged by step 4: the loss is \S+\. Lower generation\.flow_learning_rate$/,
    );
    flow.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('networks by flow', () => {
  const settings = {
    ...{ components: null, width: 8, layers: 1, steps: 3, batch_size: 2, learning_rate: 1e-3 },
    ...{ ode_steps: 2, seed: testSeed },
  };

  test('are of the whole state, running statistics their means', async () => {
    const architecture = getArchitecture('resnet18', { input: [16, 16, 1], classes: 3, width: 1 });
    const networks = [1, 2, 3].map((seed) => randomWeights(architecture, seed));
    const [made, ...others] = await networksByFlow(architecture, networks, 2, settings);
    expect(others).toHaveLength(1);
    expect([...made!.keys()]).toEqual(architecture.state.map(({ name }) => name));
    for (const { name } of architecture.buffers)
      for (const [i, x] of made!.get(name)!.entries())
        expect(x).toBeCloseTo(networks.reduce((sum, one) => sum + one.get(name)![i]!, 0) / 3, 5);
    expect(others[0]).not.toEqual(made!);
  });

  test('need three networks that differ', async () => {
    const networks = [1, 2].map((seed) => randomWeights(cnnSmall, seed));
    await expect(networksByFlow(cnnSmall, networks, 1, settings)).rejects.toThrow(
      'method flow learns how networks differ, and the zoo has 2 prompts: give it at least 3, or take flow out of generation.methods',
    );
    const same = [networks[0]!, networks[0]!, networks[0]!];
    await expect(networksByFlow(cnnSmall, same, 1, settings)).rejects.toThrow(
      'method flow learns how networks differ, and the prompts are all the same: take flow out of generation.methods',
    );
  });
});
