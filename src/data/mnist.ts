import { readFile } from 'node:fs/promises';
import { checkLabels, damaged } from './damaged.ts';
import { type Dataset, halves, type ImageSet, type Source } from './dataset.ts';
import { findFile, onlineOnce, type Publication } from './files.ts';
import { readIdx } from './formats/idx.ts';
import type { PublishedFile } from './published.ts';

/** MNIST and its drop-in replacement Fashion-MNIST: four IDX files, 28x28 grey images, 10 classes. */

const train = ['train-images-idx3-ubyte.gz', 'train-labels-idx1-ubyte.gz'] as const;
const test = ['t10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte.gz'] as const;

/** Checks that images and labels belong together. `names` are shown in errors. */
export function imageSet(
  names: readonly [string, string],
  images: { shape: number[]; data: Uint8Array },
  labels: { shape: number[]; data: Uint8Array },
  classes: number,
): ImageSet {
  const [count, height, width] = images.shape;
  if (height !== 28 || width !== 28)
    throw damaged(names[0], `images of ${height} x ${width}, expected 28 x 28`);
  if (count !== labels.shape[0])
    throw damaged(names[0], `has ${count} images and ${names[1]} ${labels.shape[0]} labels`);
  checkLabels(names[1], labels.data, classes);
  return { images: images.data, labels: labels.data };
}

/** Where torchvision keeps a file: as published, and unpacked, of which the second sum is. */
const inTorchvision = (folder: string, file: PublishedFile, unpacked?: string): PublishedFile => {
  const name = `${folder}/raw/${file.name}`;
  const raw = unpacked && {
    name: name.slice(0, -'.gz'.length),
    md5s: [unpacked] as const,
    bytes: file.bytes,
  };
  return { ...file, torchvision: [{ ...file, name }, ...(raw ? [raw] : [])] };
};

/** A data set of four IDX files: images and labels of the training set, then of the test set. */
function idxDataset(
  about: Pick<Dataset, 'name' | 'description' | 'standsFor' | 'normalize'>,
  files: readonly PublishedFile[],
  where: Pick<Publication, 'installed' | 'mirrors' | 'remedy'>,
): Dataset {
  const publication: Publication = { dataset: about.name, files, ...where };
  const read = async (names: readonly [string, string], source: Source): Promise<ImageSet> => {
    const [images, labels] = await Promise.all(
      names.map(async (name, i) => {
        const file = files.find((f) => f.name === name) as PublishedFile;
        const path = await findFile(publication, file, source);
        return readIdx(path, await readFile(path), i === 0 ? 3 : 1);
      }),
    );
    return imageSet(names, images as ReturnType<typeof readIdx>, labels as ReturnType<typeof readIdx>, 10);
  };
  return {
    ...about,
    shape: [28, 28, 1],
    classes: 10,
    counts: { train: 60_000, test: 10_000 },
    publication,
    load: async (source) => ({
      train: await read(train, source),
      test: await read(test, source),
    }),
  };
}

export const mnist = idxDataset(
  {
    name: 'mnist',
    description: 'handwritten digits, 28x28 grey',
    standsFor: [],
    normalize: { mean: [0.1307], std: [0.3081] },
  },
  [
    inTorchvision(
      'MNIST',
      { name: train[0], bytes: 9_912_422, md5s: ['f68b3c2dcbeaaa9fbdd348bbdeb94873'] },
      '6bbc9ace898e44ae57da46a324031adb',
    ),
    inTorchvision(
      'MNIST',
      { name: train[1], bytes: 28_881, md5s: ['d53e105ee54ea40749a09fcbcd1e9432'] },
      'a25bea736e30d166cdddb491f175f624',
    ),
    inTorchvision(
      'MNIST',
      { name: test[0], bytes: 1_648_877, md5s: ['9fb629c4189551a2d022fa330f9573f3'] },
      '2646ac647ad5339dbf082846283269ea',
    ),
    inTorchvision(
      'MNIST',
      { name: test[1], bytes: 4_542, md5s: ['ec29112dd5afa0611ce80d1b7f02629c'] },
      '27ae3e4e09519cfbb04c329615203637',
    ),
  ],
  {
    installed: [],
    mirrors: [
      'https://ossci-datasets.s3.amazonaws.com/mnist',
      'https://storage.googleapis.com/cvdf-datasets/mnist',
    ],
    remedy: onlineOnce,
  },
);

/** The second sums are of Debian's files, which have the same content without the name that gzip keeps. */
const fashionFiles: PublishedFile[] = [
  {
    name: train[0],
    bytes: 26_421_880,
    md5s: ['8d4fb7e6c68d591d4c3dfef9ec88bf0d', 'cf8536b0aa1a6ac5fa3f23001093305c'],
  },
  {
    name: train[1],
    bytes: 29_515,
    md5s: ['25c81989df183df01b3e8a0aad5dffbe', '10bea18fdb374794d4bb42e356e600c9'],
  },
  {
    name: test[0],
    bytes: 4_422_102,
    md5s: ['bef4ecab320f06d8554ea6380940ec79', 'f78720b4224f21cce2f2ccf2d7a94c9a'],
  },
  {
    name: test[1],
    bytes: 5_148,
    md5s: ['bb300cfdad3c16e7a12a480ee83cd310', '0d30e22e447f3c33dab9ed536400ac01'],
  },
];

export const fashionMnist = idxDataset(
  {
    name: 'fashion-mnist',
    description: 'clothes, 28x28 grey',
    standsFor: ['mnist', 'cifar-10', 'svhn', 'cifar-100', 'tiny-imagenet'],
    normalize: halves(1),
  },
  fashionFiles.map((file) => inTorchvision('FashionMNIST', file)),
  {
    installed: ['/usr/share/datasets/fashion-mnist'],
    mirrors: ['http://fashion-mnist.s3-website.eu-central-1.amazonaws.com'],
    remedy: 'on Debian and Ubuntu, `apt-get install dataset-fashion-mnist`',
  },
);
