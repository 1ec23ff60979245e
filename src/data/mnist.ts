import type { Dataset, ImageSet, Source } from './dataset.ts';
import { findFile, type Publication } from './files.ts';
import { readIdx } from './idx.ts';

/** MNIST and its drop-in replacement Fashion-MNIST: four IDX files, 28x28 grey images, 10 classes. */

const fileNames = {
  train: ['train-images-idx3-ubyte.gz', 'train-labels-idx1-ubyte.gz'],
  test: ['t10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte.gz'],
} as const;

/** Checks that images and labels belong together. `names` are shown in errors. */
export function imageSet(
  names: readonly [string, string],
  images: { shape: number[]; data: Uint8Array },
  labels: { shape: number[]; data: Uint8Array },
  classes: number,
): ImageSet {
  const [count, height, width] = images.shape;
  if (height !== 28 || width !== 28)
    throw new Error(`${names[0]}: images of ${height} x ${width}, expected 28 x 28`);
  if (count !== labels.shape[0]) {
    throw new Error(`${names[0]} has ${count} images and ${names[1]} ${labels.shape[0]} labels`);
  }
  const outside = labels.data.findIndex((label) => label >= classes);
  if (outside >= 0) {
    throw new Error(
      `${names[1]}: label ${labels.data[outside]} at ${outside} is not one of 0 to ${classes - 1}`,
    );
  }
  return { images: images.data, labels: labels.data };
}

/** A data set of four IDX files with these MD5 sums (images and labels of the training set, then of the test set). */
function idxDataset(
  about: Pick<Dataset, 'name' | 'description' | 'standsFor' | 'normalize'>,
  md5s: readonly [string, string, string, string],
  where: Pick<Publication, 'installed' | 'mirrors' | 'remedy'>,
): Dataset {
  const files = [...fileNames.train, ...fileNames.test].map((name, i) => ({ name, md5: md5s[i] as string }));
  const publication: Publication = { dataset: about.name, files, ...where };
  const read = async (names: readonly [string, string], source: Source): Promise<ImageSet> => {
    const [images, labels] = await Promise.all(
      names.map(async (name, i) => {
        const file = files.find((f) => f.name === name) as Publication['files'][number];
        return readIdx(name, await findFile(publication, file, source), i === 0 ? 3 : 1);
      }),
    );
    return imageSet(names, images as ReturnType<typeof readIdx>, labels as ReturnType<typeof readIdx>, 10);
  };
  return {
    ...about,
    shape: [28, 28, 1],
    classes: 10,
    load: async (source) => ({
      train: await read(fileNames.train, source),
      test: await read(fileNames.test, source),
    }),
  };
}

export const mnist = idxDataset(
  {
    name: 'mnist',
    description: 'handwritten digits, 28x28 grey, 60,000 and 10,000 images',
    standsFor: [],
    normalize: { mean: 0.1307, std: 0.3081 },
  },
  [
    'f68b3c2dcbeaaa9fbdd348bbdeb94873',
    'd53e105ee54ea40749a09fcbcd1e9432',
    '9fb629c4189551a2d022fa330f9573f3',
    'ec29112dd5afa0611ce80d1b7f02629c',
  ],
  {
    installed: [],
    mirrors: [
      'https://ossci-datasets.s3.amazonaws.com/mnist',
      'https://storage.googleapis.com/cvdf-datasets/mnist',
    ],
    remedy: 'run once on a machine with internet access',
  },
);

export const fashionMnist = idxDataset(
  {
    name: 'fashion-mnist',
    description: 'clothes, 28x28 grey, 60,000 and 10,000 images',
    standsFor: ['mnist', 'cifar-10'],
    normalize: { mean: 0.5, std: 0.5 },
  },
  [
    'cf8536b0aa1a6ac5fa3f23001093305c',
    '10bea18fdb374794d4bb42e356e600c9',
    'f78720b4224f21cce2f2ccf2d7a94c9a',
    '0d30e22e447f3c33dab9ed536400ac01',
  ],
  {
    installed: ['/usr/share/datasets/fashion-mnist'],
    mirrors: ['https://fashion-mnist.s3-website.eu-central-1.amazonaws.com'],
    remedy: 'on Debian and Ubuntu, `apt-get install dataset-fashion-mnist`',
  },
);
