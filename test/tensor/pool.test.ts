/** Pooling by windows, and convolutions in groups or with dilation, against tfjs's own operations on cpu: values and gradients. */
import { beforeAll, describe, expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import { averagePoolWindows, conv2d, maxPoolWindows } from '../../src/tensor/ops.ts';
import { tf } from '../../src/tensor/tf.ts';
import { expectSame, normal } from './compare.ts';
import { kernelDevices, startTested } from './devices.ts';

const random = new Random(1, 'pool');
const devices = ['cpu', ...kernelDevices];
const map = (x: tf.Tensor) => x as tf.Tensor4D;

beforeAll(() => startTested(devices, 2));

describe.each(devices)('on %s', (device) => {
  test.each([
    [3, 2, 1],
    [3, 1, 1],
    [2, 1, 0],
    [2, 3, 1],
    [5, 2, 2],
    [2, 2, 0],
  ])('the maximum of windows of side %i, stride %i, padding %i', async (kernel, stride, padding) => {
    await expectSame(
      device,
      [normal(random, 2, 9, 7, 3)],
      (x) => maxPoolWindows(map(x as tf.Tensor), { kernel, stride, padding }),
      (x) => tf.maxPool(map(x as tf.Tensor), kernel, stride, padding, 'floor'),
    );
  });

  test.each([
    [3, 2, 1],
    [3, 1, 1],
    [2, 1, 0],
    [2, 3, 1],
  ])('the mean of windows of side %i, stride %i, padding %i', async (kernel, stride, padding) => {
    // Zeros outside count, as PyTorch has it: the image with its frame of zeros has no outside.
    const frame = [0, padding, padding, 0].map((side) => [side, side] as [number, number]);
    await expectSame(
      device,
      [normal(random, 2, 9, 7, 3)],
      (x) => averagePoolWindows(map(x as tf.Tensor), { kernel, stride, padding }),
      (x) => tf.avgPool(map(tf.pad(x as tf.Tensor, frame)), kernel, stride, 'valid'),
    );
  });

  test.each([
    [1, 1],
    [2, 1],
    [1, 2],
  ])('a depthwise convolution with stride %i and %i outputs for each channel', async (stride, times) => {
    await expectSame(
      device,
      [normal(random, 2, 8, 7, 5), normal(random, 5 * times, 1, 3, 3), normal(random, 5 * times)],
      (x, w, b) =>
        conv2d(map(x as tf.Tensor), map(w as tf.Tensor), b as tf.Tensor1D, { stride, padding: 1, groups: 5 }),
      (x, w, b) => {
        const filter = tf.transpose((w as tf.Tensor).reshape([5, times, 3, 3]), [2, 3, 0, 1]);
        return tf.add(
          tf.depthwiseConv2d(map(x as tf.Tensor), map(filter), stride, 1, 'NHWC', 1, 'floor'),
          b as tf.Tensor,
        );
      },
    );
  });

  test('a convolution in groups is one for each part of the channels', async () => {
    await expectSame(
      device,
      [normal(random, 2, 8, 7, 6), normal(random, 9, 2, 3, 3)],
      (x, w) => conv2d(map(x as tf.Tensor), map(w as tf.Tensor), undefined, { stride: 2, groups: 3 }),
      (x, w) =>
        tf.concat(
          [0, 1, 2].map((g) => {
            const [channels, filters] = [
              tf.slice(x as tf.Tensor, [0, 0, 0, 2 * g], [-1, -1, -1, 2]),
              tf.slice(w as tf.Tensor, 3 * g, 3),
            ];
            return tf.conv2d(map(channels), map(tf.transpose(filters, [2, 3, 1, 0])), 2, 'valid');
          }),
          -1,
        ),
    );
  });

  test('a convolution with dilation is one with zeros in its windows', async () => {
    await expectSame(
      device,
      [normal(random, 2, 9, 8, 3), normal(random, 4, 3, 2, 2)],
      (x, w) => conv2d(map(x as tf.Tensor), map(w as tf.Tensor), undefined, { padding: 1, dilation: 3 }),
      (x, w) => {
        const apart = tf.pad((w as tf.Tensor).reshape([4, 3, 2, 1, 2, 1]), [
          [0, 0],
          [0, 0],
          [0, 0],
          [0, 2],
          [0, 0],
          [0, 2],
        ]);
        return tf.conv2d(
          map(x as tf.Tensor),
          map(tf.transpose(apart.reshape([4, 3, 6, 6]), [2, 3, 1, 0])).slice([0, 0, 0, 0], [4, 4, 3, 4]),
          1,
          1,
        );
      },
    );
  });
});

test('a maximum of the padding alone is refused', async () => {
  await tf.setBackend('cpu');
  expect(() =>
    tf.tidy(() => maxPoolWindows(tf.ones([1, 4, 4, 1]), { kernel: 3, stride: 1, padding: 2 })),
  ).toThrow('The padding of a maximum is at most half of its kernel.');
});
