/** What networks see of images in colour: every channel by its own mean and standard deviation, with and without augmentation. */
import { expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import type { ImageFormat } from '../../src/data/dataset.ts';
import { startDevice } from '../../src/tensor/devices/registry.ts';
import { tf } from '../../src/tensor/tf.ts';
import { augmentBatch } from '../../src/zoo/augment.ts';
import { prepare } from '../../src/zoo/train.ts';
import { testSeed } from '../seed.ts';

const random = new Random(testSeed, 'colours');
const dataset: ImageFormat = {
  name: 'colours',
  shape: [5, 7, 3],
  classes: 10,
  normalize: { mean: [0.1, 0.5, 0.9], std: [0.3, 0.5, 2] },
};
const count = 4;
const images = Uint8Array.from({ length: count * 105 }, () => random.integer(256));
const set = { images, labels: Uint8Array.of(3, 1, 4, 1) };
const { mean, std } = dataset.normalize;
const seen = (byte: number, c: number) =>
  Math.fround((byte / 255 - (mean[c] as number)) / (std[c] as number));
const all = Float32Array.from(images, (byte, i) => seen(byte, i % 3));

test('images on the device', async () => {
  await startDevice('cpu', { threads: 1 });
  const data = prepare(set, { dataset });
  expect(data.images.shape).toEqual([count, 5, 7, 3]);
  expect(await data.images.data<'float32'>()).toEqual(all);
  expect([...(await data.labels.data())]).toEqual([3, 1, 4, 1]);
  tf.dispose([data.images, data.labels]);
});

test('batches that nothing is done to', () => {
  const out = new Float32Array(3 * 105);
  augmentBatch(set, dataset, [2, 0, 2], { crop_padding: 0, flip: false, rotation: 0 }, random, out);
  for (const [i, n] of [2, 0, 2].entries())
    expect(out.subarray(i * 105, (i + 1) * 105)).toEqual(all.subarray(n * 105, (n + 1) * 105));
});

test('black around cropped batches is normalised too', () => {
  const out = new Float32Array(105);
  const black = { ...set, images: new Uint8Array(count * 105) };
  augmentBatch(black, dataset, [1], { crop_padding: 3, flip: true, rotation: 0 }, random, out);
  expect(out).toEqual(Float32Array.from(out, (_, i) => seen(0, i % 3)));
});
