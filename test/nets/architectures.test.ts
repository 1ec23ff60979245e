/** Every architecture of the registry: its state as PyTorch has it, its permutations, and what it refuses. */
import { beforeAll, describe, expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import type { Architecture, ArchitectureOptions, StateDict } from '../../src/nets/architecture.ts';
import { derive } from '../../src/nets/derive.ts';
import { forward } from '../../src/nets/forward.ts';
import { initialWeights } from '../../src/nets/init.ts';
import { permute } from '../../src/nets/permute.ts';
import { architectures, getArchitecture } from '../../src/nets/registry.ts';
import { tf } from '../../src/tensor/tf.ts';
import { testSeed } from '../seed.ts';
import { expectClose } from '../tensor/compare.ts';
import { kernelDevices, startTested, testedDevices } from '../tensor/devices.ts';
import { oracleLogits, randomWeights } from './networks.ts';

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const count = ({ parameters }: Architecture) => parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
const build = (name: string, options: Partial<ArchitectureOptions> = {}) =>
  getArchitecture(name, { input: [32, 32, 3], classes: 10, width: null, ...options });

describe('parameters', () => {
  test.each([
    ['resnet18', 11_173_962, 11_220_132, 11_271_432],
    ['resnet34', 21_282_122, 21_328_292, 21_379_592],
    ['resnet50', 23_520_842, 23_705_252, 23_910_152],
    ['resnet101', 42_512_970, 42_697_380, 42_902_280],
  ] as const)('%s has as many as PyTorch, for 10, 100 and 200 classes', (name, ten, hundred, twoHundred) => {
    const counts = [10, 100, 200].map((classes) => count(build(name, { classes, input: [64, 64, 3] })));
    expect(counts).toEqual([ten, hundred, twoHundred]);
  });

  test('of the small networks are as many as in the paper', () => {
    expect(count(build('cnn-small', { input: [28, 28, 1] }))).toBe(2464);
    expect(count(build('cnn-small', { input: [28, 28, 3] }))).toBe(2864);
    expect(count(build('cnn-large'))).toBe(10_853);
  });

  test('of the other networks are as many as PyTorch has', () => {
    expect(count(build('mini-alexnet'))).toBe(1_873_930);
    // Of torchvision's with 1000 classes, three dense layers are left out.
    const dense = 25_088 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 1000 + 1000;
    for (const [name, parameters] of [
      ['vgg11-bn', 132_868_840],
      ['vgg13-bn', 133_053_736],
      ['vgg16-bn', 138_365_992],
      ['vgg19-bn', 143_678_248],
    ] as const)
      expect(count(build(name))).toBe(parameters - dense + 512 * 10 + 10);
    // Of 7,978,856 with 1000 classes and a 7x7 stem.
    const [stem, classifier] = [64 * 3 * (49 - 9), 1025 * (1000 - 10)];
    expect(count(build('densenet121'))).toBe(7_978_856 - stem - classifier);
  });

  test('of vgg16-bn and densenet121 have the names of torchvision', () => {
    const weights = (name: string) =>
      build(name).parameters.flatMap(({ name, shape }) =>
        name.endsWith('weight') && shape.length > 1 ? [`${name} ${shape}`] : [],
      );
    expect(weights('vgg16-bn').map((line) => line.split(' ')[0])).toEqual([
      ...[0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40].map((place) => `features.${place}.weight`),
      'classifier.weight',
    ]);
    const dense = weights('densenet121');
    expect(dense).toHaveLength(121);
    expect(dense.slice(0, 5)).toEqual([
      'features.conv0.weight 64,3,3,3',
      'features.denseblock1.denselayer1.conv1.weight 128,64,1,1',
      'features.denseblock1.denselayer1.conv2.weight 32,128,3,3',
      'features.denseblock1.denselayer2.conv1.weight 128,96,1,1',
      'features.denseblock1.denselayer2.conv2.weight 32,128,3,3',
    ]);
    expect(dense).toContain('features.transition3.conv.weight 512,1024,1,1');
    expect(dense.at(-1)).toBe('classifier.weight 10,1024');
    expect(build('densenet121').state.map(({ name }) => name)).toContain('features.norm5.running_var');
  });

  test('of resnet18 have the names, order and shapes of a state dict', () => {
    const { state, parameters, buffers } = build('resnet18', { width: 4 });
    const lines = state.map(({ name, shape }) => `${name} ${shape}`);
    const normal = (name: string, channels: number) =>
      ['weight', 'bias', 'running_mean', 'running_var'].map((part) => `${name}.${part} ${channels}`);
    expect([parameters, buffers, state].map(({ length }) => length)).toEqual([62, 40, 102]);
    expect(lines.slice(0, 6)).toEqual([
      ...['conv1.weight 4,3,3,3', ...normal('bn1', 4)],
      'layer1.0.conv1.weight 4,4,3,3',
    ]);
    expect(lines.slice(25, 40)).toEqual([
      ...['layer2.0.conv1.weight 8,4,3,3', ...normal('layer2.0.bn1', 8)],
      ...['layer2.0.conv2.weight 8,8,3,3', ...normal('layer2.0.bn2', 8)],
      ...['layer2.0.downsample.0.weight 8,4,1,1', ...normal('layer2.0.downsample.1', 8)],
    ]);
    expect(lines.slice(-2)).toEqual(['fc.weight 10,32', 'fc.bias 10']);
    const isBuffer = (line: string) => line.includes('running');
    expect(buffers.map(({ name, shape }) => `${name} ${shape}`)).toEqual(lines.filter(isBuffer));
    expect(parameters.map(({ name, shape }) => `${name} ${shape}`)).toEqual(
      lines.filter((line) => !isBuffer(line)),
    );
  });

  test('begin normalisation as the identity, dense layers with a bias of 0.01', () => {
    const weights = initialWeights(build('resnet18', { width: 2 }), 'kaiming-uniform', 1);
    const expected = {
      'layer1.0.bn1.weight': 1,
      'layer1.0.bn1.bias': 0,
      'layer1.0.bn1.running_mean': 0,
      'layer1.0.bn1.running_var': 1,
      'fc.bias': Math.fround(0.01),
    };
    for (const [name, value] of Object.entries(expected)) {
      expect({ name, values: new Set(weights.get(name)) }).toEqual({ name, values: new Set([value]) });
    }
    expect([...weights.keys()]).toEqual(build('resnet18', { width: 2 }).state.map(({ name }) => name));
  });
});

/** Each architecture as narrow and for as small images as it can be, of odd sizes where it takes them. */
const small: Record<string, Partial<ArchitectureOptions>> = {
  'cnn-small': { input: [28, 28, 3], classes: 7 },
  'cnn-large': { input: [32, 32, 1] },
  resnet18: { input: [17, 19, 2], classes: 5, width: 3 },
  resnet34: { input: [16, 17, 1], classes: 3, width: 2 },
  resnet50: { input: [17, 16, 3], classes: 4, width: 2 },
  resnet101: { input: [16, 16, 1], classes: 3, width: 1 },
  'mini-alexnet': { input: [17, 14, 1], classes: 4 },
  'vgg11-bn': { input: [33, 32, 1], classes: 3, width: 2 },
  'vgg13-bn': { input: [32, 32, 3], classes: 4, width: 1 },
  'vgg16-bn': { input: [32, 35, 2], classes: 5, width: 3 },
  'vgg19-bn': { input: [32, 32, 1], classes: 2, width: 1 },
  densenet121: { input: [17, 16, 3], classes: 6, width: 3 },
};

/** A tensor of each parameter and buffer, the buffers as variables, disposed of after `f`. */
async function withTensors<T>(
  { state }: Architecture,
  weights: StateDict,
  f: (tensors: Map<string, tf.Variable>) => Promise<T>,
): Promise<T> {
  const tensors = new Map(
    state.map(({ name, shape }) => {
      const values = weights.get(name) as Float32Array;
      return [name, tf.tidy(() => tf.variable(tf.tensor(values, shape)))] as const;
    }),
  );
  try {
    return await f(tensors);
  } finally {
    tf.dispose([...tensors.values()]);
  }
}

/** Logits of the images in evaluation, then in training, then the running statistics that this left. */
function compute(net: Architecture, weights: StateDict, images: Float32Array[]): Promise<Float32Array[]> {
  return withTensors(net, weights, async (tensors) => {
    const flat = images.flatMap((image) => [...image]);
    const logits = [false, true].map((training) => {
      const result = tf.tidy(() => {
        const x = tf.tensor4d(flat, [images.length, ...net.input]);
        return forward(net, tensors, tensors, x, 'relu', { training });
      });
      return result;
    });
    const buffers = net.buffers.map(({ name }) => tensors.get(name)!);
    const numbers = [];
    for (const tensor of [...logits, ...buffers]) numbers.push((await tensor.data<'float32'>()).slice());
    tf.dispose(logits);
    return numbers;
  });
}

const drawImages = ({ input }: Architecture, count: number) =>
  Array.from({ length: count }, (_, i) => new Random(testSeed, 'image', i).normals(sizeOf(input)));

/** Numbers relative to the largest of `of`: those behind a hundred layers may be of any size. */
const scaled = (numbers: ArrayLike<number>, of: ArrayLike<number>) => {
  const scale = Math.max(1e-3, ...Array.from(of, Math.abs));
  return Array.from(numbers, (x) => x / scale);
};

describe(`every architecture`, () => {
  beforeAll(async () => {
    await startTested(testedDevices, 2);
  });

  test('is tested here', () => expect(Object.keys(small)).toEqual(Object.keys(architectures)));

  describe.each(Object.entries(small))('%s', (name, options) => {
    const net = build(name, options);
    const weights = randomWeights(net, testSeed);
    const images = drawImages(net, 3);
    /** How far off logits may be, in evaluation and in training. */
    let limits = [2e-3, 2e-3];

    // Of webgpu, on a software adapter, those of few layers.
    const devices = testedDevices.filter((device) => device !== 'webgpu' || name.startsWith('cnn'));

    test('has the logits of the definition on every device, in evaluation and in training', async () => {
      const logitsOf = (relu: (x: number) => number) =>
        [false, true].map((training) => oracleLogits(net, weights, images, relu, { training }).flat());
      const expected = logitsOf((x) => Math.max(0, x));
      // A hundred layers that are normalised over a few images may make much of a little: of this, of the size of float32's rounding.
      const rounding = new Random(testSeed, 'rounding', name);
      const near = logitsOf((x) => Math.max(0, x) * (1 + 1e-6 * rounding.normal()));
      limits = expected.map((logits, i) => {
        const [a, b] = [scaled(near[i]!, logits), scaled(logits, logits)];
        return Math.min(0.05, Math.max(2e-3, 5 * Math.max(...a.map((x, k) => Math.abs(x - b[k]!)))));
      });
      for (const device of devices) {
        await tf.setBackend(device);
        const before = tf.memory().numTensors;
        const actual = await compute(net, weights, images);
        expect(tf.memory().numTensors).toBe(before);
        for (const [i, logits] of expected.entries()) {
          expectClose(scaled(actual[i]!, logits), scaled(logits, logits), limits[i]!);
        }
      }
    }, 300_000);

    test('is the same function with its units in another order', async () => {
      await tf.setBackend(kernelDevices.at(-1)!);
      const random = new Random(testSeed, 'orders', name);
      const orders = new Map(net.permutations.map(({ name, size }) => [name, random.permutation(size)]));
      const other = permute(net, weights, orders);
      const [evaluation, training] = (await compute(net, weights, images)) as [Float32Array, Float32Array];
      const permuted = await compute(net, other, images);
      for (const [i, logits] of [evaluation, training].entries()) {
        expectClose(scaled(permuted[i]!, logits), scaled(logits, logits), limits[i]!);
      }
      // It moved, and no number got lost.
      const classifier = net.parameters.at(-2)!.name;
      expect(other.get(classifier)).not.toEqual(weights.get(classifier)!);
      for (const [tensor, values] of weights) {
        expect(Float32Array.from(other.get(tensor)!).sort()).toEqual(Float32Array.from(values).sort());
      }
    });

    test('has groups that cover every axis of hidden units, each position once', () => {
      const covered = new Map<string, number[]>();
      for (const { size, axes } of net.permutations) {
        for (const { parameter, axis, start = 0, block = 1 } of axes) {
          const positions = covered.get(`${parameter} ${axis}`) ?? [];
          for (let i = start; i < start + size * block; i++) positions.push(i);
          covered.set(`${parameter} ${axis}`, positions);
        }
      }
      const last = net.parameters.at(-1)!.name.replace('.bias', '');
      const first = net.parameters[0]!.name;
      for (const { name, shape } of net.state) {
        for (const axis of shape.length === 1 ? [0] : [0, 1]) {
          const fixed = (axis === 0 && name.startsWith(`${last}.`)) || (axis === 1 && name === first);
          const expected = fixed ? undefined : Array.from({ length: shape[axis]! }, (_, i) => i);
          expect({ name, axis, positions: covered.get(`${name} ${axis}`)?.sort((a, b) => a - b) }).toEqual({
            ...{ name, axis },
            positions: expected as number[],
          });
        }
      }
    });
  });

  // Of others, a small step may cross the kink of a maximum, or a hundred layers make it a large one.
  test.each(['resnet18', 'densenet121'])(
    '%s has the gradients of the definition',
    async (name) => {
      const net = build(name, small[name]);
      const [weights, images] = [randomWeights(net, testSeed), drawImages(net, 3)];
      await tf.setBackend(kernelDevices.at(-1)!);
      const random = new Random(testSeed, 'direction', name);
      const factors = random.normals(images.length * net.classes);
      // A small step up and down in a random direction; how far each weight really goes is what its rounding leaves.
      const [up, down] = [1, -1].map((sign) => {
        const random = new Random(testSeed, 'direction', name, 'weights');
        const step = (x: number) => x + sign * 1e-4 * random.normal() * (Math.abs(x) + 0.1);
        const moved = net.parameters.map(({ name }) => [name, weights.get(name)!.map(step)] as const);
        return new Map([...weights, ...moved]);
      }) as [StateDict, StateDict];
      const [above, below] = [up, down].map((state) =>
        oracleLogits(net, state, images, Math.tanh, { training: true })
          .flat()
          .reduce((sum, x, i) => sum + x * factors[i]!, 0),
      ) as [number, number];
      const parts = await withTensors(net, weights, async (tensors) => {
        const trained = net.parameters.map(({ name }) => tensors.get(name)!);
        const { value, grads } = tf.variableGrads(() => {
          const x = tf.tensor4d(
            images.flatMap((image) => [...image]),
            [images.length, ...net.input],
          );
          const logits = forward(net, tensors, tensors, x, 'tanh', { training: true });
          return tf.sum(tf.mul(logits, tf.tensor(factors, logits.shape))) as tf.Scalar;
        }, trained);
        const parts: number[] = [];
        for (const { name } of net.parameters) {
          const gradient = await grads[tensors.get(name)!.name]!.data();
          for (const [i, g] of gradient.entries()) parts.push(g * (up.get(name)![i]! - down.get(name)![i]!));
        }
        tf.dispose([value, grads]);
        return parts;
      });
      const sum = parts.reduce((a, b) => a + b, 0);
      const scale = Math.sqrt(parts.reduce((sum, part) => sum + part * part, 0));
      expect(Math.abs(above - below - sum) / scale).toBeLessThan(0.02);
    },
    300_000,
  );
});

describe('permutation groups', () => {
  const sizes = (name: string) => build(name, { width: 4 }).permutations.map(({ size }) => size);

  test('of residual networks are the streams and the inner channels of each block', () => {
    expect(sizes('resnet18')).toEqual([4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32]);
    // A bottleneck's first stage has a stream of its own behind the stem's, four times as wide.
    expect(sizes('resnet50').slice(0, 8)).toEqual([4, 4, 4, 16, 4, 4, 4, 4]);
    expect(sizes('resnet50')).toHaveLength(1 + 4 + 2 * 16);
  });

  test('tell where on an axis they are', () => {
    const net = derive({
      ...{ name: 'example', description: '', input: [4, 4, 2], classes: 3 },
      layers: [
        { kind: 'conv2d', name: 'a', inputs: 2, outputs: 5, kernel: 3, padding: 1 },
        {
          kind: 'concatenate',
          branches: [[], [{ kind: 'conv2d', name: 'b', inputs: 5, outputs: 2, kernel: 1, bias: false }]],
        },
        { kind: 'max-pool' },
        { kind: 'flatten' },
        { kind: 'linear', name: 'c', inputs: 28, outputs: 3 },
      ],
    });
    expect(net.permutations).toEqual([
      {
        ...{ name: 'P0', size: 5 },
        axes: [
          { parameter: 'a.weight', axis: 0 },
          { parameter: 'a.bias', axis: 0 },
          { parameter: 'b.weight', axis: 1 },
          { parameter: 'c.weight', axis: 1, block: 4 },
        ],
      },
      {
        ...{ name: 'P1', size: 2 },
        axes: [
          { parameter: 'b.weight', axis: 0 },
          { parameter: 'c.weight', axis: 1, start: 20, block: 4 },
        ],
      },
    ]);
  });
});

describe('what does not fit is refused', () => {
  test.each([
    ['cnn', {}, `no architecture cnn; there are ${Object.keys(architectures).join(', ')}`],
    [
      'cnn-small',
      {},
      'cnn-small takes images of 28 x 28 pixels with 1 or 3 channels, these have 32 x 32 x 3: choose another architecture or data set',
    ],
    [
      'cnn-large',
      { input: [32, 32, 4] },
      'cnn-large takes images of 32 x 32 pixels with 1 or 3 channels, these have 32 x 32 x 4: choose another architecture or data set',
    ],
    [
      'resnet18',
      { input: [32, 15, 3] },
      'resnet18 takes images of at least 16 x 16 pixels, these have 32 x 15 x 3: choose another architecture or data set',
    ],
    [
      'cnn-large',
      { width: 8 },
      'cnn-large has a fixed width: remove zoo.width, or choose another architecture',
    ],
    ['resnet18', { width: 0 }, 'resnet18 cannot be 0 channels wide: zoo.width is a whole number from 1 on'],
  ] as const)('%s with %j', (name, options, message) => {
    expect(() => build(name, options as Partial<ArchitectureOptions>)).toThrow(message);
  });

  const layers = (...layers: Architecture['layers']) =>
    derive({ name: 'example', description: '', input: [4, 4, 2], classes: 3, layers });
  test('layers', () => {
    expect(() => layers({ kind: 'conv2d', name: 'a', inputs: 3, outputs: 3, kernel: 1 })).toThrow(
      'a takes 3 channels, it gets 2',
    );
    expect(() => layers({ kind: 'conv2d', name: 'a', inputs: 2, outputs: 3, kernel: 5 })).toThrow(
      'nothing of the image is left after a: it is too small',
    );
    expect(() => layers({ kind: 'global-average-pool' })).toThrow(
      'example has outputs of 1 x 1 x 2 for 3 classes',
    );
    expect(() => layers({ kind: 'residual', branch: [{ kind: 'max-pool' }], shortcut: [] })).toThrow(
      'a residual adds 2 x 2 x 2 to 4 x 4 x 2',
    );
    expect(() => layers({ kind: 'concatenate', branches: [[], [{ kind: 'max-pool' }]] })).toThrow(
      'a concatenation puts 2 x 2 behind 4 x 4',
    );
  });
});
