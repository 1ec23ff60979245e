import { beforeAll, describe, expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import { forward } from '../../src/nets/forward.ts';
import { initialWeights } from '../../src/nets/init.ts';
import { permute } from '../../src/nets/permute.ts';
import { tf } from '../../src/tensor/tf.ts';
import { testSeed as seed } from '../seed.ts';
import { startTested, testedDevices } from '../tensor/devices.ts';
import { cnnSmall, oracleForward, randomWeights } from './networks.ts';

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

function permuted(weights: ReturnType<typeof randomWeights>, name: string) {
  const random = new Random(seed, 'orders', name);
  const orders = new Map(cnnSmall.permutations.map((group) => [group.name, random.permutation(group.size)]));
  return { orders, weights: permute(cnnSmall, weights, orders) };
}

describe('cnn-small', () => {
  test('has 2,464 parameters under the names of PyTorch', () => {
    expect(cnnSmall.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0)).toBe(2464);
    expect(cnnSmall.parameters.map(({ name, shape }) => `${name} ${shape}`)).toEqual([
      'module_list.0.weight 8,1,5,5',
      'module_list.0.bias 8',
      'module_list.3.weight 6,8,5,5',
      'module_list.3.bias 6',
      'module_list.6.weight 4,6,2,2',
      'module_list.6.bias 4',
      'module_list.9.weight 20,36',
      'module_list.9.bias 20',
      'module_list.11.weight 10,20',
      'module_list.11.bias 10',
    ]);
  });
});

describe.each(testedDevices)('forward on %s', (device) => {
  beforeAll(() => startTested([device], 1));

  test.each([
    ['tanh', Math.tanh],
    ['relu', (x: number) => Math.max(0, x)],
    ['sigmoid', (x: number) => 1 / (1 + Math.exp(-x))],
  ] as const)('gives the logits of the definition, %s', async (activation, f) => {
    const weights = randomWeights(cnnSmall, seed);
    const images = new Random(seed, 'images').normals(3 * 784);
    const tensors = new Map(
      cnnSmall.parameters.map(({ name, shape }) => [
        name,
        tf.tensor(weights.get(name) as Float32Array, shape),
      ]),
    );
    const logits = tf.tidy(() =>
      forward(cnnSmall, tensors, new Map(), tf.tensor4d(images, [3, 28, 28, 1]), activation, {
        training: false,
      }),
    );
    const numbers = await logits.array();
    tf.dispose([logits, ...tensors.values()]);
    for (const [i, row] of numbers.entries()) {
      const expected = oracleForward(cnnSmall, weights, images.subarray(i * 784, (i + 1) * 784), f);
      for (const [j, value] of row.entries()) expect(value).toBeCloseTo(expected[j] as number, 4);
    }
  });
});

describe('permutation', () => {
  test('leaves the function unchanged and moves weights', () => {
    const weights = randomWeights(cnnSmall, seed + 1);
    const other = permuted(weights, 'function').weights;
    const image = new Random(seed, 'image').normals(784);
    const a = oracleForward(cnnSmall, weights, image, Math.tanh);
    const b = oracleForward(cnnSmall, other, image, Math.tanh);
    for (const [i, value] of a.entries()) expect(b[i] as number).toBeCloseTo(value, 6);
    // 8 and 20 units: that a random order of them is the old one does not happen.
    for (const name of [
      'module_list.0.weight',
      'module_list.3.weight',
      'module_list.9.weight',
      'module_list.11.weight',
    ]) {
      expect(other.get(name)).not.toEqual(weights.get(name) as Float32Array);
    }
    expect(other.get('module_list.11.bias')).toEqual(weights.get('module_list.11.bias') as Float32Array);
  });

  test('is undone by the inverse permutation', () => {
    const weights = randomWeights(cnnSmall, seed + 2);
    const { orders, weights: other } = permuted(weights, 'inverse');
    const inverse = new Map(
      [...orders].map(([name, order]) => [name, Int32Array.from(order, (_, i) => order.indexOf(i))]),
    );
    expect(permute(cnnSmall, other, inverse)).toEqual(weights);
  });

  test('refuses an order of the wrong length', () => {
    const orders = new Map([['P0', Int32Array.of(1, 0)]]);
    expect(() => permute(cnnSmall, new Map(), orders)).toThrow('P0 has 8 units, got an order of 2');
  });
});

describe('initial weights', () => {
  const moments = (init: Parameters<typeof initialWeights>[1]) => {
    const values = Array.from({ length: 40 }, (_, s) => [
      ...(initialWeights(cnnSmall, init, s).get('module_list.9.weight') as Float32Array),
    ]).flat();
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const sd = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
    return { mean, sd, max: Math.max(...values.map(Math.abs)) };
  };

  test('have the distributions of the zoo generator', () => {
    // fc 36-20: fan in 36, fan out 20.
    const kaiming = Math.sqrt(2 / 36);
    const xavier = Math.sqrt(2 / 56);
    expect(moments('uniform').mean).toBeCloseTo(0.5, 1);
    expect(moments('uniform').sd).toBeCloseTo(Math.sqrt(1 / 12), 1);
    expect(moments('normal').sd).toBeCloseTo(1, 1);
    for (const [init, sd] of [
      ['kaiming-uniform', kaiming],
      ['kaiming-normal', kaiming],
      ['xavier-uniform', xavier],
      ['xavier-normal', xavier],
    ] as const) {
      expect(Math.abs(moments(init).sd / sd - 1)).toBeLessThan(0.03);
    }
    expect(moments('kaiming-uniform').max).toBeLessThanOrEqual(Math.sqrt(3) * kaiming);
    expect(moments('kaiming-uniform').max).toBeGreaterThan(1.7 * kaiming);
  });

  test('start every bias at 0.01 and depend on the seed', () => {
    const weights = initialWeights(cnnSmall, 'uniform', seed);
    for (const [name, values] of weights)
      if (name.endsWith('bias')) expect(values.every((x) => x === Math.fround(0.01))).toBe(true);
    expect(initialWeights(cnnSmall, 'uniform', seed)).toEqual(weights);
    expect(initialWeights(cnnSmall, 'uniform', seed + 1)).not.toEqual(weights);
  });
});
