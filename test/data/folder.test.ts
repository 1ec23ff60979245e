/** Folders of images: what is in which split and class, the bytes that networks see, the cache, and what is wrong with a folder. */
import { afterAll, describe, expect, test } from 'bun:test';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Progress } from '../../src/base/progress.ts';
import { folderDataset } from '../../src/data/folder/dataset.ts';
import { loadImages } from '../../src/data/images.ts';
import type { ImageFolder } from '../../src/experiment/types.ts';
import { datasetStage } from '../../src/stages/dataset/run.ts';
import expected from './golden/expected.json';
import { errorOf, png } from './published-files.ts';

const root = mkdtempSync(join(tmpdir(), 'image-folder-'));
afterAll(() => rmSync(root, { recursive: true }));
let folders = 0;
const cacheDir = join(root, 'cache');

type Files = Record<string, Uint8Array | string>;

function write(files: Files, dir = join(root, String(folders++))): string {
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), bytes);
  }
  return dir;
}

const golden = (name: string) => readFileSync(join(import.meta.dir, 'golden', name));
const md5 = (bytes: Uint8Array) => new Bun.CryptoHasher('md5').update(bytes).digest('hex');
/** A PNG of one colour, 2 x 3. */
const plain = (...color: number[]) =>
  png(
    Uint8Array.from({ length: 6 * color.length }, (_, i) => color[i % color.length]!),
    [2, 3],
    {
      color: { 1: 0, 2: 4, 3: 2, 4: 6 }[color.length]!,
    },
  );

/** Loads a folder; `decoded` is how many images were, not out of the cache. */
async function load(settings: ImageFolder) {
  let last: Progress | undefined;
  const report = (progress: Progress) => {
    last = progress;
  };
  const dataset = folderDataset('own', settings);
  const wanted = { train: null, test: null, validation: null };
  const sets = await dataset.load({ dataDir: undefined, cacheDir, report }, wanted);
  return { ...dataset, ...sets, decoded: last?.done ?? 0 };
}

const two = {
  'train/a/1.png': plain(1, 2, 3),
  'train/b/1.png': plain(4, 5, 6),
  'test/b/x.png': plain(7, 8, 9),
};

describe('a folder of images', () => {
  test('has splits and classes by the names of folders, in the order of letters', async () => {
    const folder = write({
      ...{ 'train/b/2.PNG': plain(20, 0, 0), 'train/b/deep/10.png': plain(21, 0, 0) },
      ...{
        'train/a/10.png': plain(11, 0, 0),
        'train/a/2.png': plain(12, 0, 0),
        'train/c/1.png': plain(30, 0, 0),
      },
      ...{ 'test/c/1.png': plain(31, 0, 0), 'test/a/1.png': plain(13, 0, 0), 'val/b/1.png': plain(22, 0, 0) },
      ...{ 'train/a/.hidden.png': 'none', 'train/a/readme.txt': 'none', 'train/.git/x.png': 'none' },
    });
    const { shape, classes, counts, train, test, validation, normalize } = await load({ folder });
    expect({ shape, classes, counts }).toEqual({
      shape: [2, 3, 3],
      classes: 3,
      counts: { train: 5, test: 2 },
    });
    expect(normalize).toEqual({ mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] });
    const first = ({ images, labels }: { images: Uint8Array; labels: Uint8Array }) =>
      Array.from(labels, (label, i) => [label, images[18 * i]]);
    expect(first(train)).toEqual([
      [0, 11],
      [0, 12],
      [1, 20],
      [1, 21],
      [2, 30],
    ]);
    expect([first(test), first(validation!)]).toEqual([
      [
        [0, 13],
        [2, 31],
      ],
      [[1, 22]],
    ]);
    expect(train.images.subarray(0, 6)).toEqual(Uint8Array.of(11, 0, 0, 11, 0, 0));
    const asked = folderDataset('own', { folder }).load(
      { dataDir: undefined, cacheDir, report() {} },
      { train: null, test: null },
    );
    expect(Object.keys(await asked)).toEqual(['train', 'test']);
  });

  test('is split by a share of each class, the same wherever it is', async () => {
    const files = Object.fromEntries(
      ['a', 'b'].flatMap((name, c) =>
        Array.from({ length: 10 }, (_, i) => [`${name}/${i}.png`, plain(100 * c + i)] as const),
      ),
    );
    const folder = write(files);
    const { shape, counts, train, test } = await load({ folder, test_share: 0.3 });
    expect({ shape, counts }).toEqual({ shape: [2, 3, 1], counts: { train: 14, test: 6 } });
    const seen = (set: typeof train) => Array.from(set.labels, (_, i) => set.images[6 * i]!);
    expect([...seen(train), ...seen(test)].sort((x, y) => x - y)).toEqual([
      ...Array.from({ length: 10 }, (_, i) => i),
      ...Array.from({ length: 10 }, (_, i) => 100 + i),
    ]);
    expect(seen(test).filter((value) => value < 100).length).toBe(3);
    expect([...test.labels]).toEqual(seen(test).map((value) => (value < 100 ? 0 : 1)));
    const copy = write(files);
    expect(seen((await load({ folder: copy, test_share: 0.3 })).test)).toEqual(seen(test));
    expect((await load({ folder })).counts).toEqual({ train: 16, test: 4 });
  });

  test('has the bytes that Pillow makes of its files, in colour and in grey', async () => {
    const jpegs = (name: string) =>
      write({ 'train/a/1.jpg': golden(name), 'train/b/1.jpeg': golden(name), 'test/a/1.JPG': golden(name) });
    const colour = await load({ folder: jpegs('colour.jpg') });
    expect(md5(colour.test.images)).toBe(expected.jpeg.colour);
    const grey = await load({ folder: jpegs('grey.jpg') });
    expect(grey.shape).toEqual([64, 64, 1]);
    expect(
      md5(Uint8Array.from({ length: 3 * 64 * 64 }, (_, i) => grey.test.images[Math.floor(i / 3)]!)),
    ).toBe(expected.jpeg.grey);
    // Opaque images may have a channel that says so, and grey ones fewer bits.
    const others = await load({
      folder: write({
        ...{ 'a/1.png': plain(9, 255), 'a/2.png': plain(8), 'b/1.png': plain(7) },
        'b/2.png': png(Uint8Array.of(0b10100000, 0b01000000), [2, 3], { bits: 1, color: 0 }),
      }),
      test_share: 0.5,
    });
    const all = [others.train, others.test].flatMap(({ images }) => [...images]);
    expect(all.sort((x, y) => x - y)).toEqual(
      [...[0, 0, 0], ...Array(6).fill(7), ...Array(6).fill(8), ...Array(6).fill(9), ...[255, 255, 255]].sort(
        (x, y) => x - y,
      ),
    );
  });

  test('of several sizes is resized to squares, as Pillow does it', async () => {
    const pattern = Uint8Array.from({ length: 23 * 17 * 3 }, (_, i) => (i * i * 31) % 251);
    const wide = Uint8Array.from({ length: 10 * 14 * 3 }, (_, i) => i % 251);
    const folder = write({
      ...two,
      'test/a/1.png': png(pattern, [23, 17]),
      'test/a/2.png': png(wide, [10, 14]),
    });
    const { shape, test, folder: own } = await load({ folder, resize: 10 });
    expect(shape).toEqual([10, 10, 3]);
    expect(own.content).toMatchObject({ resize: 10 });
    expect(md5(test.images.subarray(0, 300))).toBe(expected.square);
    const middle = Array.from({ length: 10 }, (_, y) => wide.subarray((y * 14 + 2) * 3, (y * 14 + 12) * 3));
    expect(test.images.slice(300, 600)).toEqual(new Uint8Array(Buffer.concat(middle)));
  });

  test('is decoded once, and again where its files or the cache are others', async () => {
    const cached = join(cacheDir, 'folders');
    rmSync(cached, { recursive: true, force: true });
    const folder = write(two);
    const first = await load({ folder });
    expect(first.decoded).toBe(3);
    const again = await load({ folder });
    expect([again.decoded, again.train, again.test]).toEqual([0, first.train, first.test]);
    // Another side has a file of its own; other images of the same folder take the place of those before.
    expect((await load({ folder, resize: 2 })).decoded).toBe(3);
    write({ 'train/a/1.png': plain(99, 2, 3) }, folder);
    utimesSync(join(folder, 'train/a/1.png'), 1, 1);
    const changed = await load({ folder });
    expect([changed.decoded, changed.train.images[0]]).toEqual([3, 99]);
    expect(readdirSync(cached).length).toBe(2);
    for (const name of readdirSync(cached)) truncateSync(join(cached, name), 100);
    const repaired = await load({ folder });
    expect([repaired.decoded, repaired.train]).toEqual([3, changed.train]);
    expect((await load({ folder })).decoded).toBe(0);
  });

  test('is known by its images, not by where it is or what else is in it', () => {
    const print = (folder: string) => folderDataset('own', { folder }).folder.content.fingerprint;
    const folder = write(two);
    const copy = join(root, String(folders++));
    cpSync(folder, copy, { recursive: true });
    for (const dir of [folder, copy])
      for (const name of Object.keys(two)) utimesSync(join(dir, name), 1e9, 1e9);
    const before = print(folder);
    write({ 'train/a/notes.txt': 'x' }, copy);
    expect(print(copy)).toBe(before);
    utimesSync(join(folder, 'test/b/x.png'), 1e9, 1e9 + 1);
    expect(print(folder)).not.toBe(before);
    renameSync(join(copy, 'test/b/x.png'), join(copy, 'test/b/y.png'));
    expect(print(copy)).not.toBe(before);
  });

  test('is described by the first header alone: nothing is decoded', () => {
    const header = png(new Uint8Array(18), [2, 3]).subarray(0, 45);
    const broken = { ...two, 'train/a/1.png': Buffer.concat([header.subarray(0, 41), Buffer.from('DAT')]) };
    const folder = write({ ...broken, 'train/b/1.png': 'no image' });
    expect(folderDataset('own', { folder }).shape).toEqual([2, 3, 3]);
  });
});

/** What is wrong with a folder, said while planning or while decoding. */
async function mistake(files: Files | string, settings: Partial<ImageFolder> = {}): Promise<string> {
  const folder = typeof files === 'string' ? files : write(files);
  const message = await errorOf(() => load({ folder, ...settings }));
  return message.replaceAll(folder, 'DIR');
}

describe('what is wrong with a folder is said with its remedy', () => {
  const { 'test/b/x.png': _, ...train } = two;
  const jpegs = Object.fromEntries(
    ['train/a/1.jpg', 'train/b/1.jpg', 'test/a/1.jpg'].map((name) => [name, golden('colour.jpg')]),
  );
  const wide = png(new Uint8Array(24), [2, 4]);
  const cmyk = () => {
    // The number of colours in the frame's header, which is all that is read.
    const bytes = Buffer.from(golden('colour.jpg'));
    bytes[bytes.indexOf(Buffer.from([0xff, 0xc0])) + 9] = 4;
    return bytes;
  };
  const animation = { before: [['acTL', new Uint8Array(8)]] as const };

  test.each<[string, Files, string]>([
    [
      'an empty folder',
      { 'readme.txt': '' },
      'DIR has no class folders: put the PNG or JPEG files of each class in a folder of its own',
    ],
    [
      'images without classes',
      { '1.png': plain(1) },
      'DIR has no class folders: put the PNG or JPEG files of each class in a folder of its own',
    ],
    [
      'one class',
      { 'a/1.png': plain(1) },
      'DIR has one class only, a: networks are trained to distinguish two or more',
    ],
    [
      'many classes',
      Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`${i}/1.png`, ''])),
      'DIR has 257 class folders, more than the 256 that are supported',
    ],
    [
      'a class without images',
      { ...two, 'train/c/x.txt': '' },
      'the class folder DIR/train/c holds no PNG or JPEG file: add some, or remove it',
    ],
    [
      'a class that is tested only',
      { ...two, 'test/c/1.png': plain(1, 2, 3) },
      'DIR/test has a class c, of which DIR/train has no images: add them, or move it elsewhere',
    ],
    [
      'no test images',
      train,
      'DIR has a folder train and no folder test: add it, or name DIR/train, which is then split by test_share',
    ],
    [
      'no training images',
      { 'test/a/1.png': '' },
      'DIR has a folder test and no folder train: add it, or name a folder of classes',
    ],
    [
      'an empty split',
      { ...train, 'test/readme.txt': '' },
      'DIR/test holds no images: add a folder of PNG or JPEG files for each class',
    ],
    [
      'a split of another name',
      { ...two, 'extra/a/1.png': '' },
      'DIR has a folder extra beside train, test and val: move it elsewhere',
    ],
    [
      'an image of another format',
      { ...two, 'train/a/2.webp': '' },
      'DIR/train/a/2.webp is neither PNG nor JPEG: convert it, or move it elsewhere',
    ],
    [
      'a class too small to be split',
      { 'a/1.png': plain(1), 'b/1.png': plain(1) },
      'of the 1 images in DIR/a a test_share of 0.2 leaves none for testing: add images, or change test_share',
    ],
    [
      'a file that is no image',
      { ...two, 'train/a/1.png': 'GIF89a' },
      'DIR/train/a/1.png: no PNG or JPEG image',
    ],
    ['an empty file', { ...two, 'train/b/1.png': '' }, 'DIR/train/b/1.png: no PNG or JPEG image'],
    [
      'a header that is cut short',
      { ...two, 'train/b/1.png': plain(1, 2, 3).subarray(0, 30) },
      'DIR/train/b/1.png: the file is cut short',
    ],
    [
      'pixels that are cut short',
      { ...two, 'train/b/1.png': plain(1, 2, 3).subarray(0, 50) },
      'DIR/train/b/1.png: cannot be decoded (Image: decode failed); replace it, or move it elsewhere',
    ],
    [
      'a JPEG that is cut short',
      { ...jpegs, 'train/a/1.jpg': golden('colour.jpg').subarray(0, 800) },
      'DIR/train/a/1.jpg: the file is cut short',
    ],
    [
      'sixteen bits',
      { ...two, 'train/b/1.png': png(new Uint8Array(36), [2, 3], { bits: 16 }) },
      'DIR/train/b/1.png: an image of 16 bits for each number; convert it to 8',
    ],
    [
      'an animation',
      { ...two, 'train/b/1.png': png(new Uint8Array(18), [2, 3], animation) },
      'DIR/train/b/1.png: an animated image; keep one frame of it',
    ],
    [
      'CMYK',
      { ...jpegs, 'train/a/1.jpg': cmyk() },
      'DIR/train/a/1.jpg: an image in CMYK, the colours of printers; convert it to RGB',
    ],
    [
      'transparent pixels',
      { ...two, 'train/b/1.png': plain(1, 2, 3, 254) },
      'DIR/train/b/1.png: an image with transparent pixels; put it on a background',
    ],
    [
      'grey beside colour',
      { ...two, 'test/b/x.png': plain(1) },
      'DIR/test/b/x.png is grey and DIR/train/a/1.png in colour: convert the one or the other',
    ],
    [
      'several sizes',
      { ...two, 'test/b/x.png': wide },
      'DIR/test/b/x.png is 2 x 4 and DIR/train/a/1.png 2 x 3: give the data set a side in pixels that all are resized to, such as resize: 2',
    ],
  ])('%s', async (_, files, message) => {
    expect(await mistake(files)).toBe(message);
  });

  test('no folder, and a share of one that is split already', async () => {
    expect(await mistake(join(root, 'none'))).toBe(
      'there is no folder DIR: name one with a folder of PNG or JPEG files for each class',
    );
    expect(await mistake(two, { test_share: 0.5 })).toBe(
      'DIR has its test images in a folder test: take test_share out',
    );
  });

  test('more images than fit in an array', async () => {
    const header = Buffer.from(plain(1, 2, 3));
    header.writeUInt32BE(60_000, 16);
    header.writeUInt32BE(60_000, 20);
    expect(await mistake({ ...two, 'train/a/1.png': header })).toBe(
      'DIR has images of 22 GB in memory: make them smaller, with resize: 64 for example',
    );
  });
});

describe('stage dataset', () => {
  const run = async (folder: string, changes: object = {}) => {
    const dir = join(root, String(folders++));
    mkdirSync(dir);
    const { content, path } = folderDataset('own', { folder }).folder;
    const config = {
      dataset: 'own',
      images: content,
      folder: path,
      train_images: null,
      test_images: null,
      ...changes,
    };
    await datasetStage.execute({ config, inputs: {}, dir, dataDir: undefined, report: () => {} });
    return loadImages(dir);
  };
  const before = process.env.XDG_CACHE_HOME;
  const restore = () => {
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
  };
  afterAll(restore);

  test('prepares the images of a folder by the same settings as others', async () => {
    process.env.XDG_CACHE_HOME = join(root, 'home');
    const folder = write({ ...two, 'val/a/1.png': plain(10, 10, 10) });
    const { dataset, train, test, validation } = await run(folder, {
      ...{ grey: true, crop: 1, validation_images: null },
      normalize: { mean: [0.25], std: [2] },
    });
    expect(dataset).toEqual({
      ...{ name: 'own', shape: [1, 1, 1], classes: 2 },
      normalize: { mean: [0.25], std: [2] },
    });
    expect([train, test, validation]).toEqual([
      { images: Uint8Array.of(2, 5), labels: Uint8Array.of(0, 1) },
      { images: Uint8Array.of(8), labels: Uint8Array.of(1) },
      { images: Uint8Array.of(10), labels: Uint8Array.of(0) },
    ]);
  });

  test('stops where the folder is another than when it was planned', async () => {
    const folder = write(two);
    const images = { fingerprint: 'of earlier files' };
    expect(await errorOf(() => run(folder, { images }))).toBe(
      `the images in ${folder} changed between planning and reading: run the same command again`,
    );
  });
});
