/** Grey, resized and normalised images, compared with Pillow's and with plain formulas. */
import { expect, test } from 'bun:test';
import type { Shape } from '../../src/data/dataset.ts';
import { byteValues } from '../../src/data/normalize.ts';
import { preparationSteps, prepareImages } from '../../src/data/prepare.ts';
import { Resampling } from '../../src/data/resample.ts';
import expected from './golden/expected.json';

const md5 = (bytes: Uint8Array) => new Bun.CryptoHasher('md5').update(bytes).digest('hex');
const nothing = { grey: false, crop: null, resize: null };

/** The images of golden/make.py. */
const pattern = (...shape: number[]) =>
  Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (i * i * 31) % 251);

const one = (images: Uint8Array) => ({ images, labels: Uint8Array.of(3) });

test('grey images have the bytes of Pillow', () => {
  const shape: Shape = [23, 17, 3];
  const steps = preparationSteps('x', shape, { ...nothing, grey: true });
  expect(steps.shape).toEqual([23, 17, 1]);
  expect(md5(prepareImages(one(pattern(...shape)), shape, steps, null).images)).toBe(expected.grey);
});

test('resized images have the bytes of Pillow, larger and smaller ones', () => {
  for (const { to, md5: sum } of expected.resized) {
    const [width, height] = to as [number, number];
    const resampling = new Resampling([23, 17, 3], [height, width]);
    expect({ to, md5: md5(resampling.apply(pattern(23, 17, 3))) }).toEqual({ to, md5: sum });
  }
  const steps = preparationSteps('usps', [16, 16, 1], { ...nothing, resize: 28 });
  expect(steps.shape).toEqual([28, 28, 1]);
  const { images } = prepareImages(one(pattern(16, 16)), [16, 16, 1], steps, null);
  expect(md5(images)).toBe(expected.resizedGrey);
});

test('where nothing is to be done, images are not held twice', () => {
  const set = one(pattern(8, 8, 1));
  const steps = preparationSteps('x', [8, 8, 1], { grey: true, crop: 8, resize: 8 });
  expect(prepareImages(set, [8, 8, 1], steps, null)).toBe(set);
});

test('an odd border is larger below and to the right', () => {
  const steps = preparationSteps('x', [3, 4, 1], { ...nothing, crop: 2 });
  const set = one(Uint8Array.from({ length: 12 }, (_, i) => i));
  expect([...prepareImages(set, [3, 4, 1], steps, null).images]).toEqual([1, 2, 5, 6]);
});

test('crops come before resizing', () => {
  const image = new Uint8Array(36);
  for (const at of [14, 15, 20, 21]) image[at] = 200;
  const steps = preparationSteps('x', [6, 6, 1], { ...nothing, crop: 2, resize: 4 });
  expect([...prepareImages(one(image), [6, 6, 1], steps, null).images]).toEqual(new Array(16).fill(200));
});

test('every channel is normalised by its own numbers', () => {
  const normalize = { mean: [0.1, 0.5, 0.9], std: [0.2, 0.5, 2] };
  const values = byteValues(normalize);
  for (const [c, mean] of normalize.mean.entries()) {
    for (const byte of [0, 1, 128, 255])
      expect(values[c]?.[byte]).toBe(Math.fround((byte / 255 - mean) / (normalize.std[c] as number)));
  }
});
