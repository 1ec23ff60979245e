/** Files as they are published, small ones and damaged ones. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../src/base/random.ts';
import { type CifarLayout, cifar10Layout, cifar100Layout, readCifar } from '../../src/data/cifar.ts';
import { readIdx } from '../../src/data/formats/idx.ts';
import { decodeJpeg } from '../../src/data/formats/jpeg.ts';
import { readMatlab } from '../../src/data/formats/matlab.ts';
import { readTarGz } from '../../src/data/formats/tar.ts';
import { imageSet } from '../../src/data/mnist.ts';
import { readStl10 } from '../../src/data/stl10.ts';
import { readSvhn } from '../../src/data/svhn.ts';
import { readTinyImagenet } from '../../src/data/tiny-imagenet.ts';
import { parseUsps, readUsps } from '../../src/data/usps.ts';
import { testSeed } from '../seed.ts';
import expected from './golden/expected.json';
import {
  deflatedZip,
  errorOf,
  idx,
  jpeg,
  matlabElement,
  matlabFile,
  matlabMatrix,
  remedy,
  tarGz,
} from './published-files.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'formats-'));
});
afterAll(() => rm(dir, { recursive: true }));

const golden = (name: string) => Bun.file(join(import.meta.dir, 'golden', name)).bytes();
const md5 = (bytes: Uint8Array) => new Bun.CryptoHasher('md5').update(bytes).digest('hex');
const random = new Random(testSeed, 'formats');
const randomBytes = (length: number) => Uint8Array.from({ length }, () => random.integer(256));

/** Writes a file under a new name. */
let written = 0;
async function file(bytes: Uint8Array): Promise<string> {
  const path = join(dir, `file-${written++}`);
  await Bun.write(path, bytes);
  return path;
}

describe('IDX files', () => {
  const bytes = Uint8Array.from({ length: 2 * 3 * 5 }, (_, i) => 7 * i);

  test('are read plain and gzipped', () => {
    for (const one of [
      idx([2, 3, 5], bytes),
      Bun.gzipSync(idx([2, 3, 5], bytes) as Uint8Array<ArrayBuffer>),
    ]) {
      expect(readIdx('f', one, 3)).toEqual({ shape: [2, 3, 5], data: bytes });
    }
  });

  test.each([
    ['cut short', idx([2, 3, 5], bytes).subarray(0, 30), '14 bytes of data, its sizes 2 x 3 x 5 need 30'],
    [
      'too long',
      Buffer.concat([idx([2, 3, 5], bytes), bytes]),
      '60 bytes of data, its sizes 2 x 3 x 5 need 30',
    ],
    [
      'of labels',
      idx([30], bytes),
      'magic number 0x00000801, expected 0x00000803 (IDX of unsigned bytes with 3 sizes)',
    ],
    [
      'of floats',
      idx([2, 3, 5], bytes, 0x0d03),
      'magic number 0x00000d03, expected 0x00000803 (IDX of unsigned bytes with 3 sizes)',
    ],
    ['without a header', new Uint8Array(3), '3 bytes are too few for an IDX header'],
    [
      'cut short in gzip',
      Bun.gzipSync(new Uint8Array(999)).subarray(0, 20),
      'cannot be unpacked: damaged, or cut short',
    ],
  ])('%s are refused with the remedy', async (_, one, message) => {
    expect(await errorOf(() => readIdx('train.gz', one, 3))).toBe(`train.gz: ${message}. ${remedy}`);
  });

  test('must belong together', async () => {
    const names = ['i', 'l'] as const;
    const images = { shape: [2, 28, 28], data: new Uint8Array(2 * 784) };
    const labels = (...values: number[]) => ({ shape: [values.length], data: Uint8Array.from(values) });
    expect(imageSet(names, images, labels(0, 9), 10).labels).toEqual(Uint8Array.of(0, 9));
    const fails = (shape: number[], ...values: number[]) =>
      errorOf(() => imageSet(names, { ...images, shape }, labels(...values), 10));
    expect(await fails([2, 28, 28], 1)).toBe(`i: has 2 images and l 1 labels. ${remedy}`);
    expect(await fails([2, 28, 28], 1, 10)).toBe(`l: label 10 at 1 is not one of 0 to 9. ${remedy}`);
    expect(await fails([2, 28, 56], 1, 2)).toBe(`i: images of 28 x 56, expected 28 x 28. ${remedy}`);
  });
});

describe('SVHN', () => {
  /** Of pixel (y, x), channel c of image n in the file that scipy wrote. */
  const pixel = (y: number, x: number, c: number, n: number) => (y + 3 * x + 50 * c + 70 * n) % 256;
  const X = (count: number) => matlabMatrix('X', [32, 32, 3, count], new Uint8Array(3072 * count));
  const y = (...labels: number[]) => matlabMatrix('y', [labels.length, 1], Uint8Array.from(labels));

  test('is read as scipy writes it, with 10 for the digit 0', async () => {
    const { images, labels } = readSvhn('f', await golden('svhn.mat'));
    expect(labels).toEqual(Uint8Array.of(1, 9, 0, 3));
    const at = Array.from({ length: 4 * 3072 }, (_, i) => {
      const [n, row, column, c] = [
        Math.floor(i / 3072),
        Math.floor(i / 96) % 32,
        Math.floor(i / 3) % 32,
        i % 3,
      ];
      return pixel(row, column, c, n);
    });
    expect(images).toEqual(Uint8Array.from(at));
  });

  test('is read unpacked too, whatever its labels are kept as', async () => {
    const { images, labels } = readSvhn('f', await golden('plain.mat'));
    expect(labels).toEqual(Uint8Array.of(1));
    expect(images).toEqual(new Uint8Array(3072).fill(7));
  });

  test('with other things in the file is read', () => {
    const text = matlabElement(
      14,
      Buffer.concat([
        matlabElement(6, Buffer.from([4, 0, 0, 0, 0, 0, 0, 0])),
        matlabElement(5, Buffer.from(Int32Array.of(1, 2).buffer)),
        matlabElement(1, Buffer.from('note')),
        matlabElement(16, Buffer.from('hi')),
      ]),
    );
    expect([...readMatlab('f', matlabFile([text, y(1)])).keys()]).toEqual(['y']);
  });

  const whole = matlabFile([X(2), y(1, 10)]);
  test.each([
    ['a short header', whole.subarray(0, 100), '100 bytes are too few for a MATLAB header'],
    [
      'another version',
      matlabFile([X(1)], { version: 0x0200 }),
      'no little-endian MATLAB file of level 5 (version 0x200)',
    ],
    [
      'big-endian numbers',
      matlabFile([X(1)], { order: 'MI' }),
      'no little-endian MATLAB file of level 5 (version 0x100)',
    ],
    ['no labels', matlabFile([X(1)]), 'no arrays X and y, but X'],
    ['nothing', matlabFile([]), 'no arrays X and y, but none'],
    [
      'images of another size',
      matlabFile([matlabMatrix('X', [28, 32, 3, 1], new Uint8Array(2688)), y(1)]),
      'X has the sizes 28 x 32 x 3 x 1, expected bytes of 32 x 32 x 3 x n',
    ],
    ['too few labels', matlabFile([X(2), y(1)]), '2 images and 1 labels'],
    ['a label 0', matlabFile([X(1), y(0)]), 'label 0 at 0 is not one of 1 to 10'],
    ['a label 11', matlabFile([X(2), y(5, 11)]), 'label 11 at 1 is not one of 1 to 10'],
    [
      'fewer numbers than its sizes need',
      matlabFile([matlabMatrix('X', [32, 32, 3, 1], new Uint8Array(9)), y(1)]),
      'X has 9 numbers, its sizes 32 x 32 x 3 x 1 need 3072',
    ],
    [
      'numbers of another type',
      matlabFile([matlabMatrix('X', [2], new Uint8Array(16), 12)]),
      'X has numbers of the unknown type 12',
    ],
    [
      'damaged packing',
      Buffer.concat([whole.subarray(0, 140), Buffer.alloc(8, 0xff), whole.subarray(148)]),
      'an element cannot be unpacked: damaged, or cut short',
    ],
  ])('with %s is refused with the remedy', async (_, bytes, message) => {
    expect(await errorOf(() => readSvhn('x.mat', bytes))).toBe(`x.mat: ${message}. ${remedy}`);
  });

  test('cut short anywhere is refused with the remedy', async () => {
    for (let end = 0; end < whole.length; end += 1 + random.integer(12)) {
      const message = await errorOf(() => readSvhn('x.mat', whole.subarray(0, end)));
      expect({ end, start: message.slice(0, 7), end_: message.endsWith(remedy) }).toEqual({
        end,
        start: 'x.mat: ',
        end_: true,
      });
    }
  });
});

describe('CIFAR', () => {
  const versions: [string, CifarLayout][] = [
    ['CIFAR-10', cifar10Layout],
    ['CIFAR-100', cifar100Layout],
  ];
  /** A record: bytes in front, the last of which is the label, then the planes. */
  const record = ({ labelBytes }: CifarLayout, label: number, planes: Uint8Array) =>
    Buffer.concat([Buffer.alloc(labelBytes - 1, 19), Buffer.of(label), planes]);
  const members = (
    layout: CifarLayout,
    label: (file: number) => number,
    planes = (_: number): Uint8Array => new Uint8Array(3072),
  ) =>
    Object.fromEntries(
      [...layout.train, ...layout.test].map((name, i) => [
        `${layout.folder}/${name}`,
        record(layout, label(i), planes(i)),
      ]),
    );

  test.each(versions)('the Python version of %s is read too, as Python 2 pickled it', async (_, layout) => {
    const { python } = layout;
    const names = [...Object.keys(python.train), ...Object.keys(python.test)];
    const planes = names.map(() => randomBytes(3072));
    const old = (bytes: Uint8Array) =>
      Buffer.concat([Buffer.of(0x54), Buffer.from(Uint32Array.of(bytes.length).buffer), bytes]);
    const batch = (i: number) =>
      Buffer.concat([
        Buffer.from('\x80\x02}(', 'latin1'),
        old(Buffer.from('data')),
        Buffer.from('cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R', 'latin1'),
        Buffer.from('(K\x01K\x01M\x00\x0c\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R\x89', 'latin1'),
        old(planes[i] as Uint8Array),
        Buffer.from('tb', 'latin1'),
        old(Buffer.from(python.labels)),
        Buffer.from(`](K${String.fromCharCode(i)}eu.`, 'latin1'),
      ]);
    const bytes = await tarGz(
      Object.fromEntries(names.map((name, i) => [`${python.folder}/${name}`, batch(i)])),
    );
    const path = join(dir, python.archive.name);
    await Bun.write(path, bytes);
    const { train, test: tests } = await readCifar(path, layout);
    expect([...train.labels, ...tests.labels]).toEqual(names.map((_, i) => i));
    const first = planes[0] as Uint8Array;
    expect([...train.images.subarray(0, 3)]).toEqual([first[0], first[1024], first[2048]] as number[]);
    // Unpacked, it is compared with the sums of what was published.
    const folder = join(dir, python.folder);
    for (const [i, name] of names.entries()) await Bun.write(join(folder, name), batch(i));
    const [test0] = Object.keys(python.test) as [string];
    expect(await errorOf(() => readCifar(join(folder, test0), layout))).toContain(
      `${join(folder, names[0] as string)}: not the published ${names[0]} (MD5 `,
    );
  });

  test.each(versions)('%s is read in the order of its files', async (_, layout) => {
    const planes = [...layout.train, ...layout.test].map(() => randomBytes(3072));
    const last = layout.classes - 1;
    const label = (i: number) => last - i;
    const path = await file(await tarGz(members(layout, label, (i) => planes[i] as Uint8Array)));
    const { train, test: tests } = await readCifar(path, layout);
    const count = layout.train.length;
    expect([...train.labels]).toEqual(layout.train.map((_, i) => label(i)));
    expect([...tests.labels]).toEqual([label(count)]);
    for (let n = 0; n <= count; n++) {
      const image = n < count ? train.images.subarray(n * 3072, (n + 1) * 3072) : tests.images;
      const pixels = Uint8Array.from(image, (_, i) => {
        const [row, column, c] = [Math.floor(i / 96), Math.floor(i / 3) % 32, i % 3];
        return planes[n]?.[c * 1024 + row * 32 + column] as number;
      });
      expect(image).toEqual(pixels);
    }
  });

  test.each(versions)('%s with damage is refused with the remedy', async (_, layout) => {
    const whole = members(layout, () => 0);
    const first = `${layout.folder}/${layout.train[0]}`;
    const last = `${layout.folder}/${layout.test[0]}`;
    const { [last]: __, ...lacking } = whole;
    const record = layout.labelBytes + 3072;
    const most = layout.recordsPerFile.test * record;
    const cases: [Record<string, Uint8Array>, string, string][] = [
      [
        { ...whole, [first]: Buffer.alloc(record + 5) },
        ` (${first})`,
        `${record + 5} bytes are no whole number of records of ${record}`,
      ],
      [
        { ...whole, [first]: Buffer.alloc(0) },
        ` (${first})`,
        `0 bytes are no whole number of records of ${record}`,
      ],
      [
        members(layout, (i) => (i === 0 ? layout.classes : 0)),
        ` (${first})`,
        `label ${layout.classes} at 0 is not one of 0 to ${layout.classes - 1}`,
      ],
      [lacking, '', `the archive has no ${last}`],
      [
        { ...whole, [last]: Buffer.alloc(most + record) },
        '',
        `${last} has ${most + record} bytes, expected at most ${most}`,
      ],
    ];
    for (const [content, place, message] of cases) {
      const path = await file(await tarGz(content));
      expect(await errorOf(() => readCifar(path, layout))).toBe(`${path}${place}: ${message}. ${remedy}`);
    }
  });
});

describe('archives of tar and gzip', () => {
  const content = {
    'a/one.bin': randomBytes(3000),
    'a/two.bin': randomBytes(512),
    'three.bin': new Uint8Array(0),
  };
  const sizes = { 'a/two.bin': 512, 'three.bin': 0 };

  test('give the members asked for', async () => {
    const found = await readTarGz(await file(await tarGz(content)), sizes);
    expect(Object.fromEntries(found)).toEqual({
      'a/two.bin': content['a/two.bin'],
      'three.bin': content['three.bin'],
    });
  });

  test('are not read on behind the last one asked for', async () => {
    const whole = await tarGz({ 'a.bin': Buffer.from('first'), 'b.bin': randomBytes(400_000) });
    const path = await file(whole.subarray(0, 200_000));
    expect((await readTarGz(path, { 'a.bin': 5 })).get('a.bin')).toEqual(
      Uint8Array.from(Buffer.from('first')),
    );
  });

  test('that are damaged are refused with the remedy', async () => {
    const whole = await tarGz(content);
    const unpacked = Bun.gunzipSync(whole as Uint8Array<ArrayBuffer>);
    const repacked = (bytes: Uint8Array) => Bun.gzipSync(bytes as Uint8Array<ArrayBuffer>);
    const flipped = Uint8Array.from(unpacked);
    flipped[3] = (flipped[3] as number) ^ 1;
    const cases: [Uint8Array, string][] = [
      [whole.subarray(0, whole.length - 300), 'cannot be unpacked: damaged, or cut short'],
      [Buffer.from('<html>not found</html>'), 'cannot be unpacked: damaged, or cut short'],
      [repacked(unpacked.subarray(0, 1000)), 'the archive ends in the middle of a/one.bin'],
      [repacked(unpacked.subarray(0, 300)), 'the archive ends too early'],
      [repacked(flipped), 'no tar archive, or a damaged one'],
      [repacked(new Uint8Array(1024)), 'the archive has no a/two.bin, three.bin'],
    ];
    for (const [bytes, message] of cases) {
      const path = await file(bytes);
      expect(await errorOf(() => readTarGz(path, sizes))).toBe(`${path}: ${message}. ${remedy}`);
    }
  });

  test('that are not there are told by their path', async () => {
    expect(await errorOf(() => readTarGz(join(dir, 'none.tar.gz'), sizes))).toContain(
      join(dir, 'none.tar.gz'),
    );
  });
});

describe('STL-10', () => {
  const size = 96 * 96 * 3;
  const members = (labels: number[], X = new Uint8Array(labels.length * size)) => ({
    'stl10_binary/test_X.bin': X,
    'stl10_binary/test_y.bin': Uint8Array.from(labels),
    'stl10_binary/train_X.bin': new Uint8Array(size),
    'stl10_binary/train_y.bin': Uint8Array.of(10),
  });

  test('is read from planes kept column by column, with labels from 1 on', async () => {
    const planes = randomBytes(2 * size);
    const { train, test: tests } = await readStl10(await file(await tarGz(members([1, 4], planes))));
    expect([...train.labels, ...tests.labels]).toEqual([9, 0, 3]);
    for (let tries = 0; tries < 500; tries++) {
      const [n, y, x, c] = [random.integer(2), random.integer(96), random.integer(96), random.integer(3)];
      const kept = planes[n * size + c * 96 * 96 + x * 96 + y] as number;
      expect(tests.images[n * size + (y * 96 + x) * 3 + c]).toBe(kept);
    }
  });

  test.each([
    ['a label 0', members([1, 0]), ' (stl10_binary/test_y.bin)', 'label 0 at 1 is not one of 1 to 10'],
    ['a label 11', members([11]), ' (stl10_binary/test_y.bin)', 'label 11 at 0 is not one of 1 to 10'],
    [
      'too few images',
      members([1, 2, 3], new Uint8Array(2 * size)),
      ' (stl10_binary/test_X.bin)',
      `${2 * size} bytes for 3 labels of images of ${size}`,
    ],
  ])('with %s is refused with the remedy', async (_, content, place, message) => {
    const path = await file(await tarGz(content));
    expect(await errorOf(() => readStl10(path))).toBe(`${path}${place}: ${message}. ${remedy}`);
  });
});

describe('USPS', () => {
  const line = (label: number, values: number[]) =>
    `${label} ${values.map((value, i) => `${i + 1}:${value}`).join(' ')} \n`;
  const grey = new Array(256).fill(0);

  test('is read with the bytes that torchvision makes of it', async () => {
    const { images, labels } = readUsps('f', await golden('usps.bz2'));
    expect(labels).toEqual(Uint8Array.of(0, 9, 6));
    expect(md5(images)).toBe(expected.usps);
  });

  test.each([
    ['a label 0', line(0, grey), 'label 0 at 0 is not one of 1 to 10'],
    ['a label 11', line(1, grey) + line(11, grey), 'label 11 at 1 is not one of 1 to 10'],
    ['too few numbers', line(1, grey.slice(1)), 'line 1 is not a label and 256 numbers from -1 to 1'],
    ['too many numbers', line(1, [...grey, 0]), 'line 1 is not a label and 256 numbers from -1 to 1'],
    [
      'a number that is none',
      line(1, grey) + line(2, [Number.NaN, ...grey.slice(1)]),
      'line 2 is not a label and 256 numbers from -1 to 1',
    ],
    ['a number of 2', line(1, [2, ...grey.slice(1)]), 'line 1 is not a label and 256 numbers from -1 to 1'],
    [
      'numbers out of order',
      line(1, grey).replace('2:0', '3:0'),
      'line 1 is not a label and 256 numbers from -1 to 1',
    ],
    ['nothing', '\n', 'no images'],
  ])('with %s is refused with the remedy', async (_, text, message) => {
    expect(await errorOf(() => parseUsps('usps.bz2', text))).toBe(`usps.bz2: ${message}. ${remedy}`);
  });

  test('cut short or damaged is refused with the remedy', async () => {
    const whole = await golden('usps.bz2');
    const flipped = Uint8Array.from(whole);
    flipped[900] = (flipped[900] as number) ^ 4;
    for (const bytes of [whole.subarray(0, 1500), flipped, Buffer.from('no bzip2'), new Uint8Array(0)]) {
      expect(await errorOf(() => readUsps('usps.bz2', bytes))).toBe(
        `usps.bz2: cannot be unpacked: damaged, or cut short. ${remedy}`,
      );
    }
  });
});

describe('JPEG images', () => {
  test.each([
    ['in colour', 'colour.jpg', expected.jpeg.colour],
    ['in grey', 'grey.jpg', expected.jpeg.grey],
  ])('%s have the bytes that Pillow makes of them', async (_, name, sum) => {
    const out = new Uint8Array(64 * 64 * 3);
    await decodeJpeg(name, await golden(name), [64, 64, 3], out);
    expect(md5(out)).toBe(sum);
  });

  test('of another size or kind are refused with the remedy', async () => {
    const out = new Uint8Array(64 * 64 * 3);
    const fails = (bytes: Uint8Array) => errorOf(() => decodeJpeg('i.JPEG', bytes, [64, 64, 3], out));
    expect(await fails(await jpeg(new Uint8Array(3 * 64 * 32), [32, 64]))).toBe(
      `i.JPEG: an image of 32 x 64, expected 64 x 64. ${remedy}`,
    );
    expect(await fails(Buffer.from('GIF89a'))).toBe(`i.JPEG: no JPEG image. ${remedy}`);
    const header = (await golden('colour.jpg')).subarray(0, 100);
    expect(await fails(header)).toMatch(
      /^i\.JPEG: the JPEG image cannot be decoded \(.+\)\. Download the file/,
    );
  });
});

describe('Tiny-ImageNet', () => {
  const folder = 'tiny-imagenet-200';
  const plain = (value: number) => jpeg(new Uint8Array(64 * 64 * 3).fill(value), [64, 64]);
  const text = (value: string) => Buffer.from(value);

  /** Two classes with three training images, listed in another order than that of the archive. */
  async function members(): Promise<Record<string, Uint8Array>> {
    return {
      [`${folder}/wnids.txt`]: text('n02\nn01\n'),
      [`${folder}/words.txt`]: text('n01\tcat\n'),
      [`${folder}/test/images/test_0.JPEG`]: await plain(255),
      [`${folder}/train/n01/images/n01_0.JPEG`]: await plain(10),
      [`${folder}/train/n02/n02_boxes.txt`]: text('n02_10.JPEG\t0\t0\t1\t1\n'),
      [`${folder}/train/n02/images/n02_10.JPEG`]: await plain(60),
      [`${folder}/train/n02/images/n02_9.JPEG`]: await plain(110),
      [`${folder}/val/val_annotations.txt`]: text(
        'val_1.JPEG\tn01\t0\t0\t9\t9\nval_0.JPEG\tn02\t0\t0\t9\t9\n',
      ),
      [`${folder}/val/images/val_0.JPEG`]: await plain(160),
      [`${folder}/val/images/val_1.JPEG`]: await plain(210),
    };
  }
  const read = async (content: Record<string, Uint8Array> | Uint8Array) => {
    const path = await file(content instanceof Uint8Array ? content : deflatedZip(content));
    return { path, result: readTinyImagenet(path, () => {}) };
  };

  test('is read by class and number, its validation set as the test set', async () => {
    const reports: { done: number; total: number; unit: string }[] = [];
    const path = await file(deflatedZip(await members()));
    const { train, test: tests } = await readTinyImagenet(path, (report) => void reports.push(report));
    const shades = ({ images }: { images: Uint8Array }) =>
      Array.from({ length: images.length / 12288 }, (_, n) => images[n * 12288 + 5000]);
    expect([...train.labels]).toEqual([0, 0, 1]);
    expect(shades(train)).toEqual([110, 60, 10]);
    expect([...tests.labels]).toEqual([1, 0]);
    expect(shades(tests)).toEqual([210, 160]);
    expect(reports[0]).toEqual({ done: 3, total: 5, unit: 'images decoded' });
  });

  test('may have more members than zip archives count', async () => {
    const boxes = Array.from({ length: 65_600 }, (_, i) => [`${folder}/boxes/${i}.txt`, new Uint8Array(0)]);
    const path = await file(deflatedZip({ ...Object.fromEntries(boxes), ...(await members()) }));
    const { train, test: tests } = await readTinyImagenet(path, () => {});
    expect([train.labels.length, tests.labels.length]).toEqual([3, 2]);
  });

  test('with parts that do not belong together is refused with the remedy', async () => {
    const whole = await members();
    const annotations = `${folder}/val/val_annotations.txt`;
    const cases: [Record<string, Uint8Array>, string][] = [
      [
        { ...whole, [`${folder}/wnids.txt`]: text('n02\n') },
        `${folder}/train/n01/images/n01_0.JPEG is of no class of wnids.txt`,
      ],
      [
        { ...whole, [annotations]: text('val_0.JPEG\tn03\n') },
        'val_annotations.txt gives val_0.JPEG the class n03, which wnids.txt has not',
      ],
      [
        { ...whole, [annotations]: text('val_7.JPEG\tn01\n') },
        `the archive has no ${folder}/val/images/val_7.JPEG`,
      ],
      [{ 'other/file.txt': text('') }, `the archive has no ${folder}/wnids.txt`],
      [
        { [`${folder}/wnids.txt`]: text('n02\n'), [annotations]: text('') },
        `the archive has no images in ${folder}/train`,
      ],
      [{ [`${folder}/wnids.txt`]: text('') }, 'wnids.txt names 0 classes, expected 200'],
    ];
    for (const [content, message] of cases) {
      const { path, result } = await read(content);
      expect(await errorOf(() => result)).toBe(`${path}: ${message}. ${remedy}`);
    }
    const small = { ...whole, [`${folder}/train/n01/images/n01_0.JPEG`]: text('<html>') };
    const { path, result } = await read(small);
    expect(await errorOf(() => result)).toBe(
      `${path} (${folder}/train/n01/images/n01_0.JPEG): no JPEG image. ${remedy}`,
    );
  });

  test('cut short or damaged is refused with the remedy', async () => {
    const whole = deflatedZip(await members());
    const cut = await read(whole.subarray(0, whole.length - 30));
    expect(await errorOf(() => cut.result)).toBe(
      `${cut.path}: the zip file has no directory at its end: it is cut short. ${remedy}`,
    );
    const other = await read(deflatedZip({ 'a.txt': text('a') }, 12));
    expect(await errorOf(() => other.result)).toBe(
      `${other.path}: zip member a.txt is compressed by method 12; only deflate is read. ${remedy}`,
    );
    // Somewhere within the packed pixels of the first training image.
    const flipped = Uint8Array.from(whole);
    const at = Buffer.from(whole).indexOf('n01_0.JPEG') + 200;
    flipped[at] = (flipped[at] as number) ^ 16;
    const { path, result } = await read(flipped);
    const message = await errorOf(() => result);
    expect(message).toStartWith(`${path}: zip member ${folder}/train/n01/images/n01_0.JPEG `);
    expect(message).toEndWith(`: the file is damaged. ${remedy}`);
  });
});
