import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../src/base/random.ts';
import { writeSafetensors } from '../../src/base/safetensors.ts';
import { type Dataset, halves, type ImageSet } from '../../src/data/dataset.ts';
import { glyphs } from '../../src/data/glyphs.ts';
import { loadImages } from '../../src/data/images.ts';
import { fashionMnist } from '../../src/data/mnist.ts';
import { datasets, getDataset } from '../../src/data/registry.ts';
import { datasetStage } from '../../src/stages/dataset/run.ts';
import type { StageContext } from '../../src/stages/stage.ts';
import { errorOf } from './published-files.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'data-'));
});
afterAll(() => rm(dir, { recursive: true }));

const source = () => ({ dataDir: undefined, cacheDir: join(dir, 'cache'), report: () => {} });

describe('glyphs', () => {
  test('are the same at every draw, however many', async () => {
    const few = await glyphs.load(source(), { train: 30, test: 5 });
    const more = await glyphs.load(source(), { train: 40, test: 5 });
    expect(more.train.images.subarray(0, 30 * 784)).toEqual(few.train.images);
    expect(more.train.labels.subarray(0, 30)).toEqual(few.train.labels);
    expect(few.test.images).not.toEqual(few.train.images.subarray(0, 5 * 784));
  });

  test('show every class about equally often, in grey', async () => {
    const { train } = await glyphs.load(source(), { train: 2000, test: 1 });
    const counts = new Array(10).fill(0);
    for (const label of train.labels) counts[label]++;
    for (const count of counts) expect(Math.abs(count - 200)).toBeLessThan(60);
    expect(new Set(train.images.subarray(0, 784)).size).toBeGreaterThan(40);
  });
});

describe('dataset stage', () => {
  const drawTrain = async (train: number) => (await glyphs.load(source(), { train, test: 1 })).train;
  const context = (config: StageContext['config'], at: string): StageContext => ({
    config,
    inputs: {},
    dir: at,
    dataDir: undefined,
    report: () => {},
  });

  test('keeps the images asked for, and they are read back', async () => {
    const at = join(dir, 'stage');
    await mkdir(at);
    await datasetStage.execute(context({ dataset: 'glyphs', train_images: 25, test_images: 11 }, at));
    const images = await loadImages(at);
    const { name, shape, classes, normalize } = glyphs;
    expect(images.dataset).toEqual({ name, shape, classes, normalize });
    expect(images.train.images.length).toBe(25 * 784);
    expect(images.test.labels.length).toBe(11);
    const all = await glyphs.load(source(), { train: 25, test: 11 });
    expect([...images.train.labels].sort()).toEqual([...all.train.labels].sort());
  });

  test('holds out images that are in no other split: drawn ones apart, or what training leaves over', async () => {
    const at = join(dir, 'validation');
    await mkdir(at);
    const drawn = { dataset: 'glyphs', train_images: 25, test_images: 11, validation_images: 7 };
    await datasetStage.execute(context(drawn, at));
    const images = await loadImages(at);
    expect(images.validation?.images.length).toBe(7 * 784);
    const rows = (set: ImageSet) =>
      Array.from(set.labels, (_, i) =>
        Buffer.from(set.images.subarray(i * 784, (i + 1) * 784)).toString('hex'),
      );
    const rest = new Set([...rows(images.train), ...rows(images.test)]);
    expect(rows(images.validation as ImageSet).some((row) => rest.has(row))).toBe(false);

    const given = { ...glyphs, load: async () => ({ train: await drawTrain(40), test: await drawTrain(3) }) };
    datasets.given = given;
    try {
      const half = { dataset: 'given', train_images: 30, test_images: null, validation_images: null };
      await datasetStage.execute(context(half, at));
      const { train, validation } = await loadImages(at);
      expect(validation?.labels.length).toBe(10);
      const all = [...rows(train), ...rows(validation as ImageSet)].sort();
      expect(all).toEqual(rows(await drawTrain(40)).sort());
      await expect(datasetStage.execute(context({ ...half, validation_images: 11 }, at))).rejects.toThrow(
        'generation.validation_images asks for 11, which is 10 of the images of given: lower data.train_images, or set it to 0 to choose candidates by the training images',
      );
      await expect(datasetStage.execute(context({ ...half, train_images: null }, at))).rejects.toThrow(
        'generation.validation_images asks for what data.train_images leaves over, which is 0 of the images of given',
      );
    } finally {
      delete datasets.given;
    }
  });

  test('names the setting that asks for too many images', async () => {
    const installed = await Bun.file('/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz').exists();
    const dataset = installed ? 'fashion-mnist' : undefined;
    if (!dataset) return;
    await expect(
      datasetStage.execute(context({ dataset, train_images: 60_001, test_images: null }, dir)),
    ).rejects.toThrow(
      'data.train_images asks for 60001 images, fashion-mnist has 60000: lower it or leave it out',
    );
    const { test } = await fashionMnist.load(source(), { train: null, test: null });
    expect(test.labels.length).toBe(10_000);
    expect(new Set(test.labels).size).toBe(10);
  });

  /** A data set of images in colour, 6x8. */
  const colours = (normalize: Dataset['normalize']): Dataset => ({
    ...{ name: 'colours', description: '', standsFor: [], classes: 10, normalize, publication: null },
    ...{ shape: [6, 8, 3], counts: { train: 20, test: 20 } },
    load: async () => {
      const images = Uint8Array.from({ length: 20 * 144 }, (_, i) => (i * 37) % 251);
      const set = { images, labels: Uint8Array.from({ length: 20 }, (_, i) => i % 10) };
      return { train: set, test: set };
    },
  });
  const uneven = { mean: [0.1, 0.2, 0.3], std: [1, 2, 3] };
  let folders = 0;
  async function prepared(config: StageContext['config'], dataset = colours(uneven)) {
    const at = join(dir, `prepared-${folders++}`);
    await mkdir(at);
    datasets.colours = dataset;
    try {
      await datasetStage.execute(
        context({ dataset: 'colours', train_images: null, test_images: null, ...config }, at),
      );
      return await loadImages(at);
    } finally {
      delete datasets.colours;
    }
  }

  test('prepares images as the settings say, and keeps shape and normalisation with them', async () => {
    const { images, labels } = (await colours(uneven).load(source(), { train: null, test: null })).train;
    const plain = await prepared({});
    expect(plain.dataset).toEqual({ name: 'colours', shape: [6, 8, 3], classes: 10, normalize: uneven });
    expect(plain.test).toEqual({ images, labels });

    const normalize = { mean: [0.25], std: [0.5] };
    const { dataset, train } = await prepared({ grey: true, crop: 4, normalize, train_images: 15 });
    expect(dataset).toEqual({ name: 'colours', shape: [4, 4, 1], classes: 10, normalize });
    expect(train.labels.length).toBe(15);
    // Each image kept is the middle of the one with its numbers, in the order of the same subset.
    const order = new Random(0, 'data', 'subset', 'train').permutation(20).subarray(0, 15);
    expect([...train.labels]).toEqual([...order].map((n) => labels[n] as number));
    for (const [i, n] of order.entries()) {
      for (let p = 0; p < 16; p++) {
        const from = n * 144 + ((1 + Math.floor(p / 4)) * 8 + 2 + (p % 4)) * 3;
        const [r, g, b] = images.subarray(from, from + 3) as unknown as [number, number, number];
        expect(
          Math.abs((train.images[i * 16 + p] as number) - (0.299 * r + 0.587 * g + 0.114 * b)),
        ).toBeLessThan(0.51);
      }
    }
  });

  test('of a data set with one normalisation for all channels needs no other for grey images', async () => {
    const { dataset } = await prepared({ grey: true, resize: 3 }, colours(halves(3)));
    expect(dataset).toEqual({ name: 'colours', shape: [3, 3, 1], classes: 10, normalize: halves(1) });
  });

  test('reads artefacts that say nothing of normalisation: the data set’s own', async () => {
    const at = join(dir, 'older');
    await mkdir(at);
    const tensors = ['train', 'test'].flatMap((split) => [
      { name: `${split}.images`, shape: [1, 28, 28, 1], data: new Uint8Array(784) },
      { name: `${split}.labels`, shape: [1], data: Uint8Array.of(4) },
    ]);
    await writeSafetensors(join(at, 'images.safetensors'), tensors, { dataset: 'mnist' });
    const { dataset, train } = await loadImages(at);
    const normalize = { mean: [0.1307], std: [0.3081] };
    expect(dataset).toEqual({ name: 'mnist', shape: [28, 28, 1], classes: 10, normalize });
    expect(train).toEqual({ images: new Uint8Array(784), labels: Uint8Array.of(4) });
  });

  test.each([
    [{ crop: 7 }, 'data.crop is 7, the images of colours are 6 x 8: lower it or leave it out'],
    [
      { normalize: { mean: [0], std: [1, 1, 1] } },
      'data.normalize has 1 means and 3 standard deviations, the images of colours have 3 channels: give one for each',
    ],
    [
      { grey: true },
      'colours has a mean for each of 3 channels, its images made grey have 1: give data.normalize',
    ],
  ])('with %j is refused', async (config, message) => {
    expect(await errorOf(() => prepared(config))).toBe(message);
  });

  test('an unknown data set is told what there is', () => {
    expect(() => getDataset('mist')).toThrow(
      `no data set mist; there are ${Object.keys(datasets).join(', ')}`,
    );
  });
});
