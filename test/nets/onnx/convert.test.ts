/** Networks that PyTorch exported (golden/make.py) have PyTorch's outputs and names here; what has no counterpart is named. */
import { beforeAll, describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { forward } from '../../../src/nets/forward.ts';
import { convertOnnx } from '../../../src/nets/onnx/convert.ts';
import { getArchitecture } from '../../../src/nets/registry.ts';
import { layerProblems } from '../../../src/nets/written.ts';
import { schemaErrors } from '../../../src/nets/written-schema.ts';
import { tf } from '../../../src/tensor/tf.ts';
import { startTested } from '../../tensor/devices.ts';

const golden = join(import.meta.dir, 'golden');
const bytesOf = (name: string) => readFileSync(join(golden, name));
const convert = (name: string) => convertOnnx(bytesOf(name), bytesOf);

interface Golden {
  shape: [number, number, number, number];
  images: number[];
  outputs: number[];
  /** The state dict's names and shapes. */
  state: [string, number[]][];
}

beforeAll(() => startTested(['cpu'], 1));

async function outputsOf(name: string, { shape, images }: Golden): Promise<number[]> {
  await tf.setBackend('cpu');
  const { architecture: written, weights } = convert(name);
  expect([schemaErrors(structuredClone(written)), layerProblems(written)]).toEqual([[], []]);
  const { input, classes = 0 } = written;
  const net = getArchitecture('imported', { input, classes, width: null, written });
  const tensors = new Map(weights.map(({ name, shape, data }) => [name, tf.tensor(data, shape)]));
  expect(new Set(tensors.keys())).toEqual(new Set(net.state.map(({ name }) => name)));
  const logits = tf.tidy(() =>
    forward(net, tensors, tensors, tf.tensor4d(images, shape), 'sigmoid', { training: false }),
  );
  const numbers = [...(await logits.data())];
  tf.dispose([logits, ...tensors.values()]);
  return numbers;
}

const names = ['small', 'mixed', 'vgg', 'resnet', 'mobilenet', 'densenet'];
const exporters = ['torchscript', 'torchscript-folded', 'dynamo', 'dynamo-folded'];

describe.each(names)('%s', (name) => {
  const expected = JSON.parse(readFileSync(join(golden, `${name}.json`), 'utf8')) as Golden;

  test.each(exporters)('of the exporter %s has PyTorch’s outputs', async (exporter) => {
    const found = await outputsOf(`${name}.${exporter}.onnx`, expected);
    const classes = expected.outputs.length / 2;
    // A softmax at the end is left out: it is that of these outputs then.
    const logSoftmax = (row: number[]) => {
      const sum = row.reduce((sum, z) => sum + Math.exp(z), 0);
      return row.map((z) => z - Math.log(sum));
    };
    const rows = [0, 1].map((i) => found.slice(i * classes, (i + 1) * classes));
    const outputs = (name === 'small' ? rows.map(logSoftmax) : rows).flat();
    const scale = Math.max(...expected.outputs.map(Math.abs));
    for (const [i, value] of expected.outputs.entries()) {
      expect(Math.abs((outputs[i] as number) - value) / scale).toBeLessThan(1e-4);
    }
    // They are not the same for all images: a network that gives its bias would be.
    expect(Math.abs(expected.outputs[0]! - expected.outputs[classes]!)).toBeGreaterThan(1e-4 * scale);
  });

  test.each(['torchscript', 'dynamo'])(
    'of the exporter %s has the names and shapes of its state dict',
    (exporter) => {
      const { weights } = convert(`${name}.${exporter}.onnx`);
      const sorted = (state: [string, number[]][]) => state.map(([name, shape]) => `${name} ${shape}`).sort();
      const found = sorted(weights.map(({ name, shape }) => [name, shape]));
      // The product and the sum of `mixed` are no module; here they are a layer.
      const own = expected.state.filter(([name]) => name !== 'head' && name !== 'bias');
      const missing = sorted(own).filter((line) => !found.includes(line));
      expect(missing).toEqual([]);
      expect(found).toHaveLength(expected.state.length);
    },
  );
});

test('the layers are those that a person would write', () => {
  expect(convert('small.torchscript.onnx').architecture).toEqual({
    input: [30, 30, 1],
    classes: 5,
    layers: [
      { kind: 'conv2d', name: 'conv1', outputs: 4, kernel: 5 },
      { kind: 'activation', function: 'relu' },
      { kind: 'max-pool', kernel: 2 },
      { kind: 'conv2d', name: 'conv2', outputs: 3, kernel: 5, dilation: 2, bias: false },
      { kind: 'activation', function: 'tanh' },
      { kind: 'max-pool', kernel: 2 },
      { kind: 'flatten' },
      { kind: 'linear', name: 'fc1', outputs: 7 },
      { kind: 'activation', function: 'gelu' },
      { kind: 'linear', name: 'fc2', outputs: 'classes' },
    ],
  });
  const { layers } = convert('mobilenet.dynamo.onnx').architecture;
  expect(layers.filter(({ kind }) => kind === 'residual')).toHaveLength(1);
  expect(layers).toContainEqual({
    ...{ kind: 'conv2d', name: 'features.1.conv.0.0', outputs: 16, kernel: 3, padding: 1, groups: 16 },
    bias: false,
  });
  expect(
    convert('densenet.torchscript.onnx').architecture.layers.filter(({ kind }) => kind === 'concatenate'),
  ).toHaveLength(5);
});

test('a softmax at the end is left out, with a note', () => {
  expect(convert('small.dynamo.onnx').notes).toEqual([
    'the LogSoftmax at the end is left out: losses and accuracies are taken of the logits',
  ]);
});

test('tensors may be in a file beside it', async () => {
  const inside = convert('small.dynamo.onnx');
  const outside = convert('outside.onnx');
  expect(outside).toEqual(inside);
  const short = (location: string) => bytesOf(location).subarray(0, 100);
  expect(() => convertOnnx(bytesOf('outside.onnx'), short)).toThrow(
    /^outside\.onnx\.data has not the bytes \d+ to \d+ of the tensor [\w.]+: is it of another export\?$/,
  );
});

describe('what has no counterpart is named', () => {
  test.each([
    ['softplus', 'the operator Softplus (node /Softplus) has no counterpart in the layers here'],
    ['transposed', 'the operator Transpose (node /Transpose) has no counterpart in the layers here'],
    ['scaled', 'the operator Mul (node /Mul) has no counterpart in the layers here'],
    ['gated', 'the operator Mul (node /Mul) has no counterpart in the layers here'],
    [
      'oblong',
      'the operator MaxPool (node /MaxPool) has kernel_shape of [2,1], and here they are the same on all sides',
    ],
    [
      'ceiled',
      'the operator MaxPool (node /MaxPool) has ceil_mode, which has no counterpart here: windows that do not fit are left out',
    ],
    [
      'shifted',
      'the operator Add (node /Add) has a constant that is no bias of a dense layer, which has no counterpart in the layers here',
    ],
    [
      'dynamic',
      'the input x has not the fixed size of images, but [1, 1, height, 7]: export with example images, and at most their number dynamic',
    ],
  ])('%s', (name, message) => {
    expect(() => convert(`refused-${name}.onnx`)).toThrow(new Error(message).message);
  });

  test('weights that two layers share', () => {
    expect(() => convert('refused-shared.onnx')).toThrow(
      /^the operator Conv \(node \/Conv_\w+|\/\w+\) has the weights of another layer, .+: shared weights have no counterpart in the layers here$/,
    );
  });
});

describe('files that are no networks', () => {
  const none = () => {
    throw new Error('nothing is beside it');
  };
  test.each([
    ['text', new TextEncoder().encode('input: [28, 28, 1]\nlayers: []\n'), /^this is no ONNX file/],
    ['nothing', new Uint8Array(), 'this is no ONNX file: it has no graph'],
  ])('%s', (_, bytes, message) => {
    expect(() => convertOnnx(bytes, none)).toThrow(message);
  });

  test('a file that is cut off anywhere is an error and never a network', () => {
    const whole = bytesOf('vgg.torchscript.onnx');
    for (let length = 1; length < whole.length; length += Math.ceil(whole.length / 60)) {
      expect(() => convertOnnx(whole.subarray(0, length), none)).toThrow();
    }
  });

  test('every golden file is used', () => {
    const files = readdirSync(golden).filter((name) => name.endsWith('.onnx'));
    expect(files).toHaveLength(names.length * exporters.length + 1 + 9);
  });
});
