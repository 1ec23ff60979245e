/** Architectures that are written as data: the built-in ones written so are the same networks, and what does not fit is found where it is. */
import { beforeAll, describe, expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import { type Architecture, type Layer, leaves, type StateDict } from '../../src/nets/architecture.ts';
import { forward } from '../../src/nets/forward.ts';
import { initialWeights } from '../../src/nets/init.ts';
import { permute, randomOrders } from '../../src/nets/permute.ts';
import { populationGradients, populationScores } from '../../src/nets/population.ts';
import { architectures, getArchitecture, getOutline, withLayers } from '../../src/nets/registry.ts';
import {
  buildWritten,
  layerProblems,
  type WrittenArchitecture,
  type WrittenLayer,
} from '../../src/nets/written.ts';
import { schemaErrors } from '../../src/nets/written-schema.ts';
import { tf } from '../../src/tensor/tf.ts';
import { expectClose } from '../tensor/compare.ts';
import { kernelDevices, startTested, testedDevices } from '../tensor/devices.ts';
import { oracleLogits, randomWeights } from './networks.ts';

const seed = 13;

/** Layers as a person writes them: without what follows from the layers before. */
const written = (layers: readonly Layer[]): WrittenLayer[] =>
  layers.map((layer): WrittenLayer => {
    switch (layer.kind) {
      case 'residual':
        return {
          kind: 'residual',
          branch: written(layer.branch),
          ...(layer.shortcut.length > 0 && { shortcut: written(layer.shortcut) }),
        };
      case 'concatenate':
        return { kind: 'concatenate', branches: layer.branches.map(written) };
      case 'conv2d':
      case 'linear': {
        const { inputs: _, ...rest } = layer;
        return rest;
      }
      case 'batch-norm':
      case 'layer-norm': {
        const { channels: _, ...rest } = layer;
        return rest;
      }
      default:
        return layer;
    }
  });

/** The paper's small CNN and a residual network of one block, by hand. */
const cnnSmall = `
description: three convolutions and two dense layers for 28x28 images, 2,464 parameters for grey ones and 2,864 for colour
input: [28, 28, 1]
layers:
  - { kind: conv2d, name: module_list.0, outputs: 8, kernel: 5 }
  - kind: max-pool
  - kind: activation
  - kind: dropout
  - { kind: conv2d, name: module_list.3, outputs: 6, kernel: 5 }
  - kind: max-pool
  - kind: activation
  - kind: dropout
  - { kind: conv2d, name: module_list.6, outputs: 4, kernel: 2 }
  - kind: activation
  - kind: flatten
  - { kind: linear, name: module_list.9, outputs: 20 }
  - kind: activation
  - kind: dropout
  - { kind: linear, name: module_list.11, outputs: classes }
`;

const miniAlexnet = `
description: two convolutions, each normalised behind its nonlinearity, and three dense layers; 1,873,930 parameters for 32x32 colour images
input: [32, 32, 3]
layers:
  - { kind: conv2d, name: conv1, outputs: 96, kernel: 3 }
  - kind: activation
  - { kind: batch-norm, name: batchnorm1 }
  - { kind: max-pool, kernel: 3 }
  - { kind: conv2d, name: conv2, outputs: 256, kernel: 3 }
  - kind: activation
  - { kind: batch-norm, name: batchnorm2 }
  - kind: max-pool
  - kind: flatten
  - { kind: linear, name: fc1, outputs: 384 }
  - kind: activation
  - { kind: linear, name: fc2, outputs: 192 }
  - kind: activation
  - { kind: linear, name: fc3, outputs: classes }
`;

const parse = (text: string) => Bun.YAML.parse(text) as WrittenArchitecture;

describe('the built-in architectures, written', () => {
  const options: Record<string, Parameters<typeof getArchitecture>[1]> = Object.fromEntries(
    Object.entries(architectures).map(([name, { width }]) => [
      name,
      {
        input: name === 'cnn-small' ? [28, 28, 1] : [32, 32, 3],
        classes: 10,
        width: width === null ? null : 4,
      },
    ]),
  );

  test.each(Object.keys(architectures))('%s is the same network', (name) => {
    const own = getArchitecture(name, options[name]!);
    const { description, input, classes, layers } = own;
    const value = structuredClone({ description, input, classes, layers: written(layers) });
    expect(schemaErrors(value)).toEqual([]);
    expect(layerProblems(value)).toEqual([]);
    expect(JSON.stringify(value)).not.toContain('inputs');
    // Layers, state, parameters, buffers, permutation groups: all that a network is computed and aligned by.
    expect(buildWritten(name, value, { input, classes, width: null })).toEqual(own);
  });

  test.each([
    ['cnn-small', cnnSmall, [28, 28, 1]],
    ['mini-alexnet', miniAlexnet, [32, 32, 3]],
  ] as const)('%s by hand', (name, text, [height, width, channels]) => {
    const value = parse(text);
    expect(schemaErrors(value)).toEqual([]);
    const options = {
      input: [height, width, channels] as [number, number, number],
      classes: 10,
      width: null,
    };
    const own = getArchitecture(name, options);
    const built = getArchitecture(name, { ...options, written: value });
    expect(built).toEqual(own);
    expect(initialWeights(built, 'kaiming-uniform', seed)).toEqual(
      initialWeights(own, 'kaiming-uniform', seed),
    );
  });
});

/** Everything that the built-in ones do not have, in one network. */
const rich = parse(`
input: [13, 11, 2]
layers:
  - { kind: conv2d, name: stem, outputs: 8, kernel: 3, padding: 2, dilation: 2 }
  - { kind: batch-norm, name: norm, epsilon: 0.01 }
  - { kind: activation, function: relu6 }
  - { kind: max-pool, kernel: 3, stride: 2, padding: 1 }
  - { kind: conv2d, name: depthwise, outputs: 8, kernel: 3, padding: 1, groups: 8, bias: false }
  - { kind: layer-norm, name: pixels, epsilon: 0.001 }
  - { kind: activation, function: hardswish }
  - kind: residual
    branch:
      - { kind: conv2d, name: expand, outputs: 12, kernel: 1 }
      - { kind: activation, function: silu }
      - { kind: conv2d, name: multiplied, outputs: 24, kernel: 3, padding: 1, groups: 12 }
      - { kind: activation, function: elu }
      - { kind: conv2d, name: grouped, outputs: 16, kernel: 3, padding: 1, groups: 4 }
      - { kind: activation, function: leaky-relu, slope: 0.2 }
      - { kind: conv2d, name: project, outputs: 8, kernel: 1 }
  - kind: concatenate
    branches:
      - []
      - [{ kind: conv2d, name: one, outputs: 3, kernel: 1 }, { kind: activation, function: gelu }]
      - [{ kind: average-pool, kernel: 3, stride: 1, padding: 1 }]
  - { kind: average-pool, kernel: 3, stride: 2 }
  - kind: flatten
  - { kind: layer-norm, name: vector }
  - { kind: linear, name: hidden, outputs: 7, bias: false }
  - { kind: activation, function: tanh }
  - { kind: batch-norm, name: last }
  - { kind: activation, function: sigmoid }
  - { kind: linear, name: head, outputs: classes }
`);
const net = getArchitecture('rich', { input: rich.input, classes: 3, width: null, written: rich });

/** Tensors of a state, the buffers as variables. */
const tensorsOf = (states: readonly StateDict[]) =>
  new Map(
    net.state.map(({ name, shape }) => {
      const stacked = states.length > 1 ? [states.length, ...shape] : shape;
      const flat = Float32Array.from(states.flatMap((state) => [...state.get(name)!]));
      return [name, tf.tidy(() => tf.variable(tf.tensor(flat, stacked)))] as const;
    }),
  );

const imagesOf = (count: number) =>
  Array.from({ length: count }, (_, i) => new Random(seed, 'image', i).normals(13 * 11 * 2));

describe('a network of all kinds of layers', () => {
  const weights = randomWeights(net, seed);
  const images = imagesOf(3);

  beforeAll(() => startTested(testedDevices, 2));

  test('is what its schema wants, and has the state of PyTorch', () => {
    expect([schemaErrors(rich), layerProblems(rich)]).toEqual([[], []]);
    const shape = (name: string) => net.state.find((spec) => spec.name === name)?.shape;
    expect(shape('depthwise.weight')).toEqual([8, 1, 3, 3]);
    expect(shape('multiplied.weight')).toEqual([24, 1, 3, 3]);
    expect(shape('grouped.weight')).toEqual([16, 6, 3, 3]);
    expect(shape('hidden.bias')).toBeUndefined();
    expect(net.buffers.map(({ name }) => name)).toEqual(
      ['norm', 'last'].flatMap((name) => [`${name}.running_mean`, `${name}.running_var`]),
    );
    const started = initialWeights(net, 'normal', seed);
    expect(new Set(started.get('vector.weight'))).toEqual(new Set([1]));
    expect(new Set(started.get('vector.bias'))).toEqual(new Set([0]));
  });

  test.each(testedDevices)('has the logits of the definition on %s', async (device) => {
    await tf.setBackend(device);
    const before = tf.memory().numTensors;
    for (const training of [false, true]) {
      const expected = oracleLogits(net, weights, images, Math.tanh, { training }).flat();
      const tensors = tensorsOf([weights]);
      const logits = tf.tidy(() => {
        const x = tf.tensor4d(
          images.flatMap((image) => [...image]),
          [3, ...net.input],
        );
        return forward(net, tensors, tensors, x, 'tanh', { training });
      });
      expectClose(await logits.data<'float32'>(), expected, 2e-4);
      tf.dispose([logits, ...tensors.values()]);
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  test('of many models at once is each of them', async () => {
    await tf.setBackend('cpu');
    const states = [0, 1, 2].map((m) => randomWeights(net, seed + m));
    const tensors = tensorsOf(states);
    const logits = tf.tidy(() => {
      const x = tf.tensor4d(
        [images, images, images].flat().flatMap((image) => [...image]),
        [9, ...net.input],
      );
      return forward(net, tensors, tensors, x, 'tanh', { training: false, each: true });
    });
    const expected = states.flatMap((state) =>
      oracleLogits(net, state, images, Math.tanh, { training: false }).flat(),
    );
    expectClose(await logits.data<'float32'>(), expected, 2e-4);
    tf.dispose([logits, ...tensors.values()]);
  });

  test('has the gradients of the definition, in population training too', async () => {
    await tf.setBackend(kernelDevices.at(-1)!);
    const direction = new Random(seed, 'direction');
    const steps = new Map(
      net.parameters.map(
        ({ name }) => [name, weights.get(name)!.map(() => 2e-5 * direction.normal())] as const,
      ),
    );
    const labels = [0, 2, 1];
    const loss = (sign: number) => {
      const moved = new Map(
        [...weights].map(([name, values]) => [
          name,
          Float32Array.from(values, (x, i) => x + sign * (steps.get(name)?.[i] ?? 0)),
        ]),
      );
      const logits = oracleLogits(net, moved, images, Math.tanh, { training: true });
      const losses = logits.map((row, i) => {
        const most = Math.max(...row);
        const sum = row.reduce((sum, z) => sum + Math.exp(z - most), 0);
        return most + Math.log(sum) - row[labels[i]!]!;
      });
      return { value: losses.reduce((a, b) => a + b) / losses.length, moved };
    };
    const [above, below] = [loss(1), loss(-1)];
    const tensors = tensorsOf([weights]);
    const stacked = new Map([...tensors].map(([name, tensor]) => [name, tf.variable(tensor.expandDims(0))]));
    const x = tf.tensor4d(
      images.flatMap((image) => [...image]),
      [3, ...net.input],
    );
    const [y, order] = [tf.tensor1d(labels, 'int32'), tf.tensor2d([[0, 1, 2]], [1, 3], 'int32')];
    const buffers = new Map(net.buffers.map(({ name }) => [name, stacked.get(name)!]));
    const network = { architecture: net, activation: 'tanh' as const };
    const { losses, gradients } = populationGradients(
      network,
      stacked,
      buffers,
      { images: x, labels: y },
      order,
    );
    const parts: number[] = [];
    for (const { name } of net.parameters) {
      const gradient = await gradients[name]!.data();
      for (const [i, g] of gradient.entries())
        parts.push(g * (above.moved.get(name)![i]! - below.moved.get(name)![i]!));
    }
    expect((await losses.data())[0]).toBeCloseTo((above.value + below.value) / 2, 4);
    const sum = parts.reduce((a, b) => a + b, 0);
    const scale = Math.sqrt(parts.reduce((sum, part) => sum + part * part, 0));
    expect(Math.abs(above.value - below.value - sum) / scale).toBeLessThan(0.01);
    const scores = await populationScores(network, stacked, buffers, { images: x, labels: y });
    expect(scores.losses).toHaveLength(1);
    tf.dispose([losses, gradients, x, y, order, ...tensors.values(), ...stacked.values()]);
  });

  test('is the same function with its units in another order', () => {
    const [expected] = [oracleLogits(net, weights, images, Math.tanh, { training: false }).flat()];
    for (let trial = 0; trial < 5; trial++) {
      const orders = randomOrders(net, new Random(seed, 'orders', trial));
      const other = permute(net, weights, orders);
      expectClose(oracleLogits(net, other, images, Math.tanh, { training: false }).flat(), expected, 1e-6);
      for (const name of ['depthwise.weight', 'multiplied.weight', 'grouped.weight', 'vector.weight']) {
        expect({ name, moved: Bun.deepEquals(other.get(name), weights.get(name)) }).toEqual({
          name,
          moved: false,
        });
      }
    }
  });
});

describe('permutation groups of convolutions in groups', () => {
  const groupsOf = (layers: WrittenLayer[], channels = 3) => {
    const value: WrittenArchitecture = { input: [8, 8, channels], classes: 5, layers };
    expect(layerProblems(value)).toEqual([]);
    return buildWritten('grouped', value, { input: value.input, classes: 5, width: null }).permutations;
  };
  const end: WrittenLayer[] = [
    { kind: 'global-average-pool' },
    { kind: 'linear', name: 'head', outputs: 'classes' },
  ];
  const conv = (name: string, outputs: number, groups = 1): WrittenLayer => ({
    ...{ kind: 'conv2d', name, outputs, groups, kernel: 1, bias: false },
  });

  test('depthwise: the channels behind it are those before it', () => {
    expect(groupsOf([conv('a', 6), conv('b', 6, 6), ...end])).toEqual([
      {
        ...{ name: 'P0', size: 6 },
        axes: [
          { parameter: 'a.weight', axis: 0 },
          { parameter: 'b.weight', axis: 0 },
          { parameter: 'head.weight', axis: 1 },
        ],
      },
    ]);
  });

  test('in several groups: parts move as wholes', () => {
    expect(groupsOf([conv('a', 6), conv('b', 9, 3), ...end])).toEqual([
      {
        ...{ name: 'P0', size: 3 },
        axes: [
          { parameter: 'a.weight', axis: 0, block: 2 },
          { parameter: 'b.weight', axis: 0, block: 3 },
          { parameter: 'head.weight', axis: 1, block: 3 },
        ],
      },
    ]);
  });

  test('of the image: nothing moves that the image orders', () => {
    expect(groupsOf([conv('a', 6, 3), conv('b', 4), ...end]).map(({ axes }) => axes[0]!.parameter)).toEqual([
      'b.weight',
    ]);
  });

  test('behind a concatenation whose parts do not end where the groups do: nothing moves', () => {
    const groups = groupsOf([
      conv('a', 3),
      { kind: 'concatenate', branches: [[], [conv('b', 5)]] },
      conv('c', 4, 4),
      ...end,
    ]);
    expect(groups.map(({ size }) => size)).toEqual([1, 1]);
  });
});

describe('what does not fit is reported where it is', () => {
  const input = [8, 8, 3];
  const layer = (layer: unknown) => ({ input, layers: [layer] });

  test.each([
    ['a kind that there is not', layer({ kind: 'conv3d' }), '/layers/0/kind enum'],
    ['a misspelt key', layer({ kind: 'max-pool', strides: 2 }), '/layers/0 additionalProperties'],
    ['no name', layer({ kind: 'linear', outputs: 3 }), '/layers/0 required'],
    ['a kernel of none', layer({ kind: 'max-pool', kernel: 0 }), '/layers/0/kernel minimum'],
    ['no layers', { input }, ' required'],
    [
      'a mistake inside of a branch',
      layer({ kind: 'residual', branch: [{ kind: 'activation', function: 'rely' }] }),
      '/layers/0/branch/0/function enum',
    ],
  ])('to the schema: %s', (_, value, expected) => {
    expect(schemaErrors(value).map(({ instancePath, keyword }) => `${instancePath} ${keyword}`)).toContain(
      expected,
    );
  });

  const fc: WrittenLayer = { kind: 'linear', name: 'fc', outputs: 'classes' };
  test.each<[string, Partial<WrittenArchitecture>, string, string]>([
    [
      'inputs',
      { layers: [{ kind: 'conv2d', name: 'a', inputs: 4, outputs: 3, kernel: 1 }] },
      'layers.0',
      'a takes 4 channels, it gets 3',
    ],
    [
      'a linear layer on a feature map',
      { layers: [{ kind: 'activation' }, fc] },
      'layers.1',
      'fc takes a vector, it gets 8 x 8 x 3: put flatten or global-average-pool before it',
    ],
    [
      'a branch',
      {
        layers: [
          { kind: 'residual', branch: [{ kind: 'conv2d', name: 'a', outputs: 3, kernel: 9 }] },
          { kind: 'flatten' },
          fc,
        ],
      },
      'layers.0.branch.0',
      'nothing of the image is left after a: it is too small',
    ],
    [
      'a sum',
      { layers: [{ kind: 'residual', branch: [{ kind: 'conv2d', name: 'a', outputs: 4, kernel: 1 }] }] },
      'layers.0',
      'a residual adds 8 x 8 x 4 to 8 x 8 x 3',
    ],
    [
      'branches side by side',
      { layers: [{ kind: 'concatenate', branches: [[], [{ kind: 'max-pool' }]] }] },
      'layers.0',
      'a concatenation puts 4 x 4 behind 8 x 8',
    ],
    [
      'groups',
      { layers: [{ kind: 'conv2d', name: 'a', outputs: 4, kernel: 1, groups: 3 }] },
      'layers.0',
      'a has 3 and 4 channels, which are not divisible into 3 groups',
    ],
    [
      'padding of a pooling',
      { layers: [{ kind: 'max-pool', padding: 2 }] },
      'layers.0',
      'max-pool has a padding of 2, more than half of its kernel of 2',
    ],
    [
      'two layers of one name',
      {
        layers: [
          { kind: 'conv2d', name: 'a', outputs: 4, kernel: 1 },
          { kind: 'batch-norm', name: 'a' },
        ],
      },
      'layers.1',
      'there are two layers called a',
    ],
    [
      'no vector at the end',
      { layers: [{ kind: 'activation' }] },
      'layers.0',
      'the network gives 8 x 8 x 3 numbers, not one for each class',
    ],
    [
      'classes',
      { classes: 5, layers: [{ kind: 'flatten' }, { ...fc, outputs: 4 }] },
      'classes',
      'the last layer has 4 outputs',
    ],
  ])('%s', (_, value, path, message) => {
    const problems = layerProblems({ input: [8, 8, 3], layers: [], ...value });
    expect(problems.map((problem) => [problem.path.join('.'), problem.message])).toEqual([[path, message]]);
  });

  test('in two branches, both', () => {
    const bad: WrittenLayer[] = [{ kind: 'max-pool', kernel: 9 }];
    const value: WrittenArchitecture = {
      input: [8, 8, 3],
      layers: [{ kind: 'residual', branch: bad, shortcut: bad }],
    };
    expect(layerProblems(value).map(({ path }) => path.join('.'))).toEqual([
      'layers.0.branch.0',
      'layers.0.shortcut.0',
    ]);
  });
});

describe('built for other images and classes', () => {
  const vector: WrittenArchitecture = {
    input: [8, 8, 3],
    layers: [{ kind: 'flatten' }, { kind: 'linear', name: 'fc', outputs: 'classes' }],
  };
  const pooled: WrittenArchitecture = {
    input: [8, 8, 3],
    layers: [
      { kind: 'conv2d', name: 'a', outputs: 4, kernel: 3 },
      { kind: 'global-average-pool' },
      { kind: 'linear', name: 'fc', outputs: 10 },
    ],
  };
  const build = (
    written: WrittenArchitecture,
    options: Partial<Parameters<typeof getArchitecture>[1]>,
  ): Architecture =>
    getArchitecture('own', { input: [8, 8, 3], classes: 10, width: null, ...options, written });

  test('takes them where no tensor has another shape', () => {
    expect(build(vector, { classes: 7 }).parameters.at(-1)).toEqual({ name: 'fc.bias', shape: [7] });
    expect(build(pooled, { input: [31, 9, 3] }).input).toEqual([31, 9, 3]);
  });

  test.each([
    [
      vector,
      { input: [9, 9, 3] },
      'own takes images of 8 x 8 x 3, these have 9 x 9 x 3: choose another architecture or data set',
    ],
    [
      pooled,
      { input: [2, 2, 3] },
      'own takes images of 8 x 8 x 3, these have 2 x 2 x 3: choose another architecture or data set',
    ],
    [
      pooled,
      { input: [8, 8, 1] },
      'own takes images of 8 x 8 x 3, these have 8 x 8 x 1: choose another architecture or data set',
    ],
    [
      pooled,
      { classes: 7 },
      'own has 10 outputs for 7 classes: write `outputs: classes` in its last layer, or choose another data set',
    ],
    [pooled, { width: 3 }, 'own has a fixed width: remove zoo.width, or choose another architecture'],
  ] as const)('refuses others', (written, options, message) => {
    expect(() => build(written, options as object)).toThrow(message);
  });
});

test('of networks of which only the tensors are known, there are names and shapes, and no layers', () => {
  const tensors = [
    { name: 'encoder.weight', shape: [4, 3] },
    { name: 'encoder.bias', shape: [4] },
    { name: 'norm.running_mean', shape: [4] },
  ];
  const outline = getOutline('tensors', { input: [8, 8, 3], classes: 2, width: null, tensors });
  expect(outline.state).toEqual(tensors);
  expect(outline.parameters.map(({ name }) => name)).toEqual(['encoder.weight', 'encoder.bias']);
  expect(outline.buffers.map(({ name }) => name)).toEqual(['norm.running_mean']);
  expect(outline.permutations).toEqual([]);
  expect(() => withLayers(outline, 'alignment')).toThrow(
    'alignment needs the network’s layers, and of tensors only the tensors are known',
  );
  expect(withLayers(net, 'alignment')).toBe(net);
  expect(leaves(net.layers).length).toBeGreaterThan(15);
});
