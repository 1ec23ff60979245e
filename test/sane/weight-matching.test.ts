/** Weight matching: what it finds, against planted orders and against all orders, and that it never changes the function. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import type { Architecture, StateDict } from '../../src/nets/architecture.ts';
import { derive } from '../../src/nets/derive.ts';
import { forward } from '../../src/nets/forward.ts';
import { permute, randomOrders } from '../../src/nets/permute.ts';
import { getArchitecture } from '../../src/nets/registry.ts';
import { WeightMatching } from '../../src/sane/weight-matching.ts';
import { startDevice } from '../../src/tensor/devices/registry.ts';
import { tf } from '../../src/tensor/tf.ts';
import { cnnLarge, cnnSmall, randomWeights } from '../nets/networks.ts';
import { testSeed } from '../seed.ts';
import { expectClose } from '../tensor/compare.ts';
import { startTested, testedDevices } from '../tensor/devices.ts';

const narrow = (name: string, width: number) =>
  getArchitecture(name, { input: [32, 32, 3], classes: 10, width });

/** A small net with everything that orders units: a residual, a concatenation, and channels that are flattened. */
const small = derive({
  ...{ name: 'small', description: '', input: [4, 4, 2], classes: 2 },
  layers: [
    { kind: 'conv2d', name: 'a', inputs: 2, outputs: 3, kernel: 3, padding: 1 },
    { kind: 'batch-norm', name: 'n', channels: 3 },
    {
      kind: 'residual',
      branch: [
        { kind: 'conv2d', name: 'b', inputs: 3, outputs: 2, kernel: 1 },
        { kind: 'activation' },
        { kind: 'conv2d', name: 'c', inputs: 2, outputs: 3, kernel: 1, bias: false },
      ],
      shortcut: [],
    },
    {
      kind: 'concatenate',
      branches: [[], [{ kind: 'conv2d', name: 'd', inputs: 3, outputs: 2, kernel: 3, padding: 1 }]],
    },
    { kind: 'max-pool' },
    { kind: 'flatten' },
    { kind: 'linear', name: 'e', inputs: 20, outputs: 2 },
  ],
});

/** |a - b| over the parameters. */
const distance = ({ parameters }: Architecture, a: StateDict, b: StateDict) =>
  Math.sqrt(
    parameters.reduce(
      (sum, { name }) => a.get(name)!.reduce((part, x, i) => part + (x - b.get(name)![i]!) ** 2, sum),
      0,
    ),
  );

/** Every order of n units. */
function orders(n: number): Int32Array[] {
  if (n === 0) return [new Int32Array()];
  return orders(n - 1).flatMap((rest) =>
    Array.from({ length: n }, (_, at) => Int32Array.of(...rest.subarray(0, at), n - 1, ...rest.subarray(at))),
  );
}

const random = (name: string) => new Random(testSeed, 'matching', name);
const held = () => tf.memory().numTensors;

describe.each(testedDevices)('on %s', (device) => {
  let before = 0;
  beforeAll(async () => {
    await startTested([device], 1);
    before = held();
  });
  afterAll(() => expect(held()).toBe(before));

  const small = [['cnn-small', cnnSmall] as const, ['cnn-large', cnnLarge] as const];
  const deep = ['resnet18', 'resnet50', 'densenet121'].map(
    (name, i) => [name, narrow(name, [5, 3, 6][i]!)] as const,
  );

  // Of webgpu, on a software adapter, those of few layers.
  test.each(device === 'webgpu' ? small : [...small, ...deep])(
    '%s: a planted order is found under noise, and the function stays',
    async (_, architecture) => {
      const reference = randomWeights(architecture, testSeed);
      const noise = randomWeights(architecture, testSeed + 1);
      const near = new Map(
        Array.from(reference, ([name, values]) => [
          name,
          values.map((x, i) => x + 0.02 * noise.get(name)![i]!),
        ]),
      );
      const planted = permute(architecture, near, randomOrders(architecture, random('planted')));
      const matching = new WeightMatching(architecture, reference);
      const found = await matching.match(planted, random('visits'));
      matching.dispose();
      const aligned = permute(architecture, planted, found.permutations);
      // The buffers are permuted along.
      for (const { name } of architecture.state) expect(aligned.get(name)).toEqual(near.get(name)!);
      expect(found.distance / distance(architecture, reference, near)).toBeCloseTo(1, 4);
      expect(found.distanceBefore / distance(architecture, reference, planted)).toBeCloseTo(1, 6);
    },
  );
});

describe('matching', () => {
  beforeAll(() => startDevice('cpu', { threads: 1 }));

  test('of unlike networks keeps the function, ends nearer, and is the same every time', async () => {
    const architecture = narrow('resnet18', 4);
    const [reference, model] = [3, 4].map((i) => randomWeights(architecture, testSeed + i)) as [
      StateDict,
      StateDict,
    ];
    const matching = new WeightMatching(architecture, reference);
    const found = await matching.match(model, random('unlike'));
    expect(await matching.match(model, random('unlike'))).toEqual(found);
    matching.dispose();
    const aligned = permute(architecture, model, found.permutations);
    expect(found.distance / distance(architecture, reference, aligned)).toBeCloseTo(1, 6);
    expect(found.distance).toBeLessThan(found.distanceBefore);
    const images = random('images').normals(2 * 32 * 32 * 3);
    const logits = (weights: StateDict) =>
      tf.tidy(() => {
        const tensors = new Map(
          architecture.state.map(({ name, shape }) => [name, tf.tensor(weights.get(name)!, shape)]),
        );
        const x = tf.tensor4d(images, [2, 32, 32, 3]);
        return forward(architecture, tensors, tensors, x, 'relu', { training: false }).dataSync<'float32'>();
      });
    expectClose(logits(aligned), logits(model), 1e-4);
  });

  test('in more orders ends never farther, and nearer of some', async () => {
    const reference = randomWeights(cnnSmall, testSeed);
    const matching = new WeightMatching(cnnSmall, reference);
    let gains = 0;
    for (let trial = 0; trial < 3; trial++) {
      const model = randomWeights(cnnSmall, testSeed + 1 + trial);
      const reached: number[] = [];
      for (const attempts of [1, 2, 4]) {
        const found = await matching.match(model, random(`orders ${trial}`), attempts);
        const aligned = permute(cnnSmall, model, found.permutations);
        expect(found.distance / distance(cnnSmall, reference, aligned)).toBeCloseTo(1, 6);
        reached.push(found.distance);
      }
      const [one, two, four] = reached as [number, number, number];
      expect(two).toBeLessThanOrEqual(one);
      expect(four).toBeLessThanOrEqual(two);
      if (four < one) gains++;
      expect((await matching.match(model, random(`orders ${trial}`), 4)).distance).toBe(four);
    }
    matching.dispose();
    expect(gains).toBeGreaterThan(0);
  });

  test('ends where no group alone could be nearer, and never nearer than the best of all orders', async () => {
    for (let trial = 0; trial < 5; trial++) {
      const [reference, model] = [0, 1].map((i) => randomWeights(small, testSeed + 10 * trial + i)) as [
        StateDict,
        StateDict,
      ];
      const matching = new WeightMatching(small, reference);
      const found = await matching.match(model, random(`small ${trial}`));
      matching.dispose();
      const at = (changed: [string, Int32Array][]) =>
        distance(small, reference, permute(small, model, new Map([...found.permutations, ...changed])));
      expect(found.distance / at([])).toBeCloseTo(1, 6);
      const [p, q, r] = small.permutations.map(({ name, size }) =>
        orders(size).map((order): [string, Int32Array] => [name, order]),
      ) as [string, Int32Array][][] as [
        [string, Int32Array][],
        [string, Int32Array][],
        [string, Int32Array][],
      ];
      for (const one of [...p, ...q, ...r])
        expect(at([one])).toBeGreaterThanOrEqual(found.distance * (1 - 1e-6));
      const all = p.flatMap((a) => q.flatMap((b) => r.map((c) => at([a, b, c]))));
      expect(all).toHaveLength(6 * 2 * 2);
      expect(found.distance).toBeGreaterThanOrEqual(Math.min(...all) * (1 - 1e-6));
    }
  });

  test('refuses a network with one order for both axes of a weight', () => {
    const looped = derive({
      ...{ name: 'looped', description: '', input: [4, 4, 2], classes: 2 },
      layers: [
        { kind: 'conv2d', name: 'a', inputs: 2, outputs: 3, kernel: 1 },
        {
          kind: 'residual',
          branch: [{ kind: 'conv2d', name: 'b', inputs: 3, outputs: 3, kernel: 1 }],
          shortcut: [],
        },
        { kind: 'flatten' },
        { kind: 'linear', name: 'c', inputs: 48, outputs: 2 },
      ],
    });
    // Those that are derived leave such units where they are.
    expect(looped.permutations).toEqual([]);
    const axes = [0, 1].map((axis) => ({ parameter: 'b.weight', axis }));
    const ordered = { ...looped, permutations: [{ name: 'P0', size: 3, axes }] };
    expect(() => new WeightMatching(ordered, randomWeights(looped, 1))).toThrow(
      'looped: b.weight cannot be matched, only its first two axes may be permuted, by different groups',
    );
  });
});
