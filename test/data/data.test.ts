import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ImageSet } from '../../src/data/dataset.ts';
import { findFile, type Publication } from '../../src/data/files.ts';
import { glyphs } from '../../src/data/glyphs.ts';
import { readIdx } from '../../src/data/idx.ts';
import { fashionMnist, imageSet } from '../../src/data/mnist.ts';
import { datasets, getDataset } from '../../src/data/registry.ts';
import { datasetStage, loadImages } from '../../src/data/stage.ts';
import type { StageContext } from '../../src/engine/stage.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'data-'));
});
afterAll(() => rm(dir, { recursive: true }));

const source = () => ({ dataDir: undefined, cacheDir: join(dir, 'cache'), report: () => {} });

/** An IDX file of these sizes and bytes. */
function idx(shape: number[], data: Uint8Array, magic = 0x0800 + shape.length): Uint8Array {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.writeUInt32BE(magic);
  for (const [i, size] of shape.entries()) header.writeUInt32BE(size, 4 + 4 * i);
  return Buffer.concat([header, data]);
}

describe('IDX files', () => {
  const bytes = Uint8Array.from({ length: 2 * 3 * 5 }, (_, i) => 7 * i);

  test('are read plain and gzipped', () => {
    for (const file of [
      idx([2, 3, 5], bytes),
      Bun.gzipSync(idx([2, 3, 5], bytes) as Uint8Array<ArrayBuffer>),
    ]) {
      expect(readIdx('f', file, 3)).toEqual({ shape: [2, 3, 5], data: bytes });
    }
  });

  test.each([
    ['cut short', idx([2, 3, 5], bytes).subarray(0, 30), /14 bytes of data, its sizes 2 x 3 x 5 need 30/],
    [
      'too long',
      Buffer.concat([idx([2, 3, 5], bytes), bytes]),
      /60 bytes of data, its sizes 2 x 3 x 5 need 30/,
    ],
    ['of labels', idx([30], bytes), /magic number 0x00000801, expected 0x00000803/],
    ['of floats', idx([2, 3, 5], bytes, 0x0d03), /magic number 0x00000d03/],
    ['without a header', new Uint8Array(3), /3 bytes are too few for an IDX header/],
    [
      'cut short in gzip',
      Bun.gzipSync(new Uint8Array(999)).subarray(0, 20),
      /cannot be unpacked: damaged, or cut short/,
    ],
  ])('%s are refused with the remedy', (_, file, message) => {
    expect(() => readIdx('train.gz', file, 3)).toThrow(message);
    expect(() => readIdx('train.gz', file, 3)).toThrow(
      /^train\.gz: .*Fetch the file again, or point --data at another copy\.$/,
    );
  });

  test('must belong together', () => {
    const names = ['i', 'l'] as const;
    const images = { shape: [2, 28, 28], data: new Uint8Array(2 * 784) };
    const labels = (...values: number[]) => ({ shape: [values.length], data: Uint8Array.from(values) });
    expect(imageSet(names, images, labels(0, 9), 10).labels).toEqual(Uint8Array.of(0, 9));
    expect(() => imageSet(names, images, labels(1), 10)).toThrow('i has 2 images and l 1 labels');
    expect(() => imageSet(names, images, labels(1, 10), 10)).toThrow('l: label 10 at 1 is not one of 0 to 9');
    expect(() => imageSet(names, { ...images, shape: [2, 28, 56] }, labels(1, 2), 10)).toThrow(
      'i: images of 28 x 56, expected 28 x 28',
    );
  });
});

describe('published files', () => {
  const content = new TextEncoder().encode('the published bytes');
  const file = { name: 'x.gz', md5: new Bun.CryptoHasher('md5').update(content).digest('hex') };
  const publication = (mirrors: string[]): Publication => ({
    dataset: 'thing',
    files: [file],
    installed: [join(dir, 'installed')],
    mirrors,
    remedy: 'install the package',
  });

  test('come from the first place that has them, and are checked', async () => {
    const user = join(dir, 'user');
    await mkdir(join(user, 'thing'), { recursive: true });
    await Bun.write(join(user, 'x.gz'), content);
    expect(await findFile(publication([]), file, { ...source(), dataDir: user })).toEqual(
      Buffer.from(content),
    );
    await Bun.write(join(user, 'thing', 'x.gz'), 'other bytes');
    await expect(findFile(publication([]), file, { ...source(), dataDir: user })).rejects.toThrow(
      `${join(user, 'thing', 'x.gz')}: not the published x.gz (MD5 `,
    );
  });

  test('are downloaded once, from the first mirror that has them', async () => {
    let requests = 0;
    const server = Bun.serve({
      port: 0,
      fetch: (request) => {
        requests++;
        return new URL(request.url).pathname === '/good/x.gz'
          ? new Response(content)
          : new Response('', { status: 404 });
      },
    });
    const mirrors = [`http://localhost:${server.port}/bad`, `http://localhost:${server.port}/good`];
    const reports: string[] = [];
    const listening = { ...source(), report: ({ unit }: { unit: string }) => void reports.push(unit) };
    expect(await findFile(publication(mirrors), file, listening)).toEqual(Buffer.from(content));
    expect(await findFile(publication(mirrors), file, listening)).toEqual(Buffer.from(content));
    await server.stop(true);
    expect(requests).toBe(2);
    expect(reports).toContain('bytes of x.gz');
  });

  test('that cannot be had give an error with every place and the remedy', async () => {
    const offline = { ...source(), cacheDir: join(dir, 'empty'), dataDir: '/nowhere' };
    const error: Error = await findFile(publication(['http://localhost:1/m']), file, offline).then(
      () => new Error('no error'),
      (e: Error) => e,
    );
    expect(error.message).toContain('data set thing: x.gz is not here and could not be downloaded.');
    for (const place of [
      '/nowhere/thing/x.gz',
      '/nowhere/x.gz',
      join(dir, 'installed', 'x.gz'),
      join(dir, 'empty', 'thing', 'x.gz'),
      'http://localhost:1/m/x.gz',
    ]) {
      expect(error.message).toContain(place);
    }
    expect(error.message).toContain(
      'Remedy: install the package, or put the files in a folder and name it with --data or EXP_DATA.',
    );
  });
});

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
    expect(images.dataset).toBe(glyphs);
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
        'generation.validation_images asks for 11, which is 10 of the images of glyphs: lower data.train_images, or set it to 0 to choose candidates by the training images',
      );
      await expect(datasetStage.execute(context({ ...half, train_images: null }, at))).rejects.toThrow(
        'generation.validation_images asks for what data.train_images leaves over, which is 0 of the images of glyphs',
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

  test('an unknown data set is told what there is', () => {
    expect(() => getDataset('mist')).toThrow(
      `no data set mist; there are ${Object.keys(datasets).join(', ')}`,
    );
  });
});
