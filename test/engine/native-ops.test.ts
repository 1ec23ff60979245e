/** The fused kernels of the native device against the plain formulas on cpu; threads, memory, and whole training steps. */
import { beforeAll, expect, test } from 'bun:test';
import { native } from '../../src/engine/devices/native.ts';
import * as ops from '../../src/engine/ops.ts';
import { AdamW, type Parameter } from '../../src/engine/optimizers.ts';
import { Random } from '../../src/engine/random.ts';
import { tf } from '../../src/engine/tf.ts';
import { evaluate, expectClose, expectSame, freshSeed, normal, type Values } from './compare.ts';
import { describeNative, hasCompiler } from './devices.ts';
import * as naive from './naive-ops.ts';

beforeAll(async () => {
  if (hasCompiler) await native.start({ threads: 2 });
});

const random = new Random(freshSeed, 'native ops');
const odd = (low: number, choices = 4) => low + 2 * random.integer(choices);

type Operations = typeof naive;
interface Case {
  inputs: Values[];
  apply: (ops: Operations, ...inputs: tf.Tensor[]) => tf.Tensor;
}

const cases: Record<string, (batch: number) => Case> = {
  linear: (batch) => {
    const [width, out] = [odd(3, 20), odd(5, 40)];
    return {
      inputs: [normal(random, batch, odd(3), width), normal(random, out, width), normal(random, out)],
      apply: (ops, x, w, b) => ops.linear(x as tf.Tensor, w as tf.Tensor2D, b as tf.Tensor1D),
    };
  },
  'linear without bias, of many rows': (batch) => {
    const width = odd(33);
    return {
      inputs: [normal(random, batch * 401, width), normal(random, odd(3), width)],
      apply: (ops, x, w) => tf.mul(ops.linear(x as tf.Tensor, w as tf.Tensor2D), 0.05),
    };
  },
  layerNorm: (batch) => {
    const width = odd(5, 40);
    return {
      inputs: [normal(random, batch, odd(3, 40), width), normal(random, width), normal(random, width)],
      apply: (ops, x, gain, bias) => ops.layerNorm(x as tf.Tensor, gain as tf.Tensor1D, bias as tf.Tensor1D),
    };
  },
  'layerNorm without bias': (batch) => {
    const width = odd(5);
    return {
      inputs: [normal(random, batch, width), normal(random, width)],
      apply: (ops, x, gain) => ops.layerNorm(x as tf.Tensor, gain as tf.Tensor1D),
    };
  },
  gelu: (batch) => ({
    inputs: [{ shape: [batch, 61], data: random.normals(batch * 61).map((value) => 3 * value) }],
    apply: (ops, x) => ops.gelu(x as tf.Tensor),
  }),
  attention: (batch) => {
    const heads = odd(1, 2);
    const width = heads * odd(3);
    return {
      inputs: [normal(random, batch, odd(3, 20), 3 * width)],
      apply: (ops, qkv) => ops.attention(qkv as tf.Tensor3D, heads),
    };
  },
  embedding: (batch) => {
    const rows = odd(3);
    const ids = Int32Array.from({ length: batch * 5 }, () => random.integer(rows));
    return {
      inputs: [normal(random, rows, odd(3))],
      apply: (ops, table) => ops.embedding(table as tf.Tensor2D, tf.tensor(ids, [batch, 5], 'int32')),
    };
  },
  conv2d: (batch) => {
    const [channels, out, kernel] = [odd(1, 2), odd(1), odd(1, 3)];
    return {
      inputs: [
        normal(random, batch, odd(7), odd(7), channels),
        normal(random, out, channels, kernel, kernel),
        normal(random, out),
      ],
      apply: (ops, x, w, b) => ops.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, b as tf.Tensor1D),
    };
  },
  maxPool2: (batch) => ({
    inputs: [normal(random, batch, odd(3), 2 * odd(1), odd(1, 12))],
    apply: (ops, x) => ops.maxPool2(x as tf.Tensor4D),
  }),
};

describeNative(`on native, with the shapes of seed ${freshSeed}, the formula's value and gradients:`, () => {
  test.each(Object.entries(cases))('%s', async (_, make) => {
    for (const batch of [1, odd(3)]) {
      const { inputs, apply } = make(batch);
      await expectSame(
        'native',
        inputs,
        (...xs) => apply(ops, ...xs),
        (...xs) => apply(naive, ...xs),
      );
    }
  });

  test.each(Object.entries(cases))('%s is the same with 1, 2 and 3 threads', async (_, make) => {
    const { inputs, apply } = make(37);
    const results: Float32Array[][] = [];
    for (const threads of [1, 2, 3]) {
      await native.start({ threads });
      results.push(await evaluate('native', inputs, (...xs) => apply(ops, ...xs)));
    }
    await native.start({ threads: 2 });
    expect(results[1]).toEqual(results[0] as Float32Array[]);
    expect(results[2]).toEqual(results[0] as Float32Array[]);
  });

  test('gelu far out, and of what is no number', async () => {
    await tf.setBackend('native');
    const x = tf.tensor1d([-1e30, -7, -5.99, 0, 5.99, 7, 1e30, Number.NaN]);
    const y = ops.gelu(x);
    const dx = tf.grad(ops.gelu)(x);
    const expected = [0, 0, -5.99 * 1.049e-9, 0, 5.99, 7, 1e30, Number.NaN];
    expectClose(y.dataSync(), expected.map(Math.fround), 1e-7);
    expectClose(dx.dataSync().slice(1, -2), [0, 0, 0.5, 1, 1], 1e-7);
    expect(dx.dataSync().at(-1)).toBeNaN();
    tf.dispose([x, y, dx]);
  });

  test('maxPool2 gives the gradient to the first of equals', async () => {
    await tf.setBackend('native');
    const gradient = tf.tidy(() => tf.grad((x) => ops.maxPool2(x as tf.Tensor4D))(tf.ones([1, 3, 2, 1])));
    expect([...gradient.dataSync()]).toEqual([1, 0, 0, 0, 0, 0]);
    gradient.dispose();
  });
});

/** Training of a small net with a convolution, a transformer's parts and AdamW; the losses of each step. */
async function train(backend: string, steps: number, each?: () => void): Promise<number[]> {
  await tf.setBackend(backend);
  const stream = new Random(7, 'training');
  const variable = (...shape: number[]) => {
    const { data } = normal(stream, ...shape);
    return tf.tidy(() => tf.variable(tf.tensor(data, shape).mul(0.3)));
  };
  const variables = [
    variable(4, 1, 3, 3),
    variable(4),
    variable(12, 4),
    variable(4),
    variable(3, 64),
    variable(3),
  ];
  const parameters: Parameter[] = variables.map((variable, i) => ({ name: `p${i}`, variable, decay: true }));
  const optimizer = new AdamW(parameters, { weightDecay: 0.01 });
  const x = tf.tensor4d(normal(stream, 5, 10, 10, 1).data, [5, 10, 10, 1]);
  const labels = tf.tidy(() => tf.oneHot(tf.tensor1d([0, 1, 2, 0, 1], 'int32'), 3));
  const [kernel, bias, qkv, gain, last, lastBias] = variables as unknown as [
    ...[tf.Tensor4D, tf.Tensor1D, tf.Tensor2D, tf.Tensor1D, tf.Tensor2D, tf.Tensor1D],
  ];
  const loss = (): tf.Scalar => {
    const tokens = ops.maxPool2(ops.conv2d(x, kernel, bias, { inputGradient: false })).reshape([5, 16, 4]);
    const attended = ops.attention(ops.linear(ops.layerNorm(tokens, gain), qkv) as tf.Tensor3D, 2);
    const logits = ops.linear(ops.gelu(tf.add(tokens, attended)).reshape([5, 64]), last, lastBias);
    return tf.neg(tf.mean(tf.sum(tf.mul(tf.logSoftmax(logits), labels), 1))) as tf.Scalar;
  };
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    tf.tidy(() => {
      const { value, grads } = tf.variableGrads(loss, variables);
      const named = parameters.map(({ name, variable }) => [name, grads[variable.name] as tf.Tensor]);
      optimizer.step(Object.fromEntries(named), { learningRate: 0.01 });
      losses.push(value.dataSync()[0] as number);
    });
    each?.();
  }
  optimizer.dispose();
  tf.dispose([variables, x, labels]);
  return losses;
}

describeNative('training', () => {
  test('has the losses that it has on cpu, to 1e-4', async () => {
    const [expected, actual] = [await train('cpu', 12), await train('native', 12)];
    expectClose(actual, expected, 1e-4);
    expect(actual.at(-1) as number).toBeLessThan(actual[0] as number);
  });

  test('of a thousand steps takes no more memory than that of a few', async () => {
    await tf.setBackend('native');
    const backend = tf.backend() as unknown as { pool: { bytes: number }; numDataIds(): number };
    const [tensors, memories] = [tf.memory().numTensors, backend.numDataIds()];
    const bytes: number[] = [];
    await train('native', 1000, () => bytes.push(backend.pool.bytes));
    expect(bytes.at(-1)).toBe(bytes[10] as number);
    expect([tf.memory().numTensors, backend.numDataIds()]).toEqual([tensors, memories]);
  });
});

describeNative('data of a tensor', () => {
  test('that was read stays as it was when its memory serves another', async () => {
    await tf.setBackend('native');
    const x = tf.tensor1d([1, 2, 3]);
    const [numbers, part] = [x.dataSync(), tf.slice(x, [1], [2])];
    x.dispose();
    const other = tf.fill([3], 7);
    expect([...numbers]).toEqual([1, 2, 3]);
    expect([...part.dataSync()]).toEqual([2, 3]);
    tf.dispose([part, other]);
  });

  test('is a copy of the array that it was made of', async () => {
    await tf.setBackend('native');
    const numbers = Float32Array.of(1, 2);
    const x = tf.tensor1d(numbers);
    numbers.fill(9);
    expect([...x.dataSync()]).toEqual([1, 2]);
    x.dispose();
  });

  test('moves from and to another back end', async () => {
    await tf.setBackend('cpu');
    const x = tf.tensor1d([1, 2, 3]);
    await tf.setBackend('native');
    const y = tf.square(x);
    await tf.setBackend('cpu');
    const z = tf.add(x, y);
    expect([...z.dataSync()]).toEqual([2, 6, 12]);
    tf.dispose([x, y, z]);
  });

  test('of too many numbers is refused', async () => {
    await tf.setBackend('native');
    expect(() => tf.tidy(() => tf.fill([2 ** 16, 2 ** 15], 0))).toThrow(
      'A tensor of 2147483648 numbers is too large for the native device, which counts to 2147483647. Use smaller batches.',
    );
  });
});
