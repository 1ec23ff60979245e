import { checkLabels, damaged } from './damaged.ts';
import { type Dataset, halves, type ImageSet, type Shape } from './dataset.ts';
import { loadBoth, onlineOnce } from './files.ts';
import { readMatlab } from './formats/matlab.ts';
import { planesToPixels } from './formats/planes.ts';
import type { PublishedFile } from './published.ts';

/** Street View House Numbers, cropped digits: MATLAB files with X [H, W, C, n] and y [n, 1], in which 10 stands for the digit 0. */

const shape: Shape = [32, 32, 3];
const classes = 10;

/** The images of one file. Errors name it. */
export function readSvhn(file: string, bytes: Uint8Array): ImageSet {
  const arrays = readMatlab(file, bytes);
  const [X, y] = [arrays.get('X'), arrays.get('y')];
  if (!X || !y) throw damaged(file, `no arrays X and y, but ${[...arrays.keys()].join(', ') || 'none'}`);
  const count = X.shape[3] ?? 1;
  if (!(X.data instanceof Uint8Array) || X.shape.slice(0, 3).join() !== shape.join())
    throw damaged(file, `X has the sizes ${X.shape.join(' x ')}, expected bytes of ${shape.join(' x ')} x n`);
  if (y.data.length !== count) throw damaged(file, `${count} images and ${y.data.length} labels`);
  checkLabels(file, y.data, classes, 1);
  const labels = Uint8Array.from(y.data, (label) => label % 10);
  return { images: planesToPixels(X.data, count, shape, { byColumns: true }), labels };
}

const train: PublishedFile = {
  name: 'train_32x32.mat',
  md5s: ['e26dedcc434d2e4c54c9b2d4a06d8373'],
  bytes: 182_040_794,
};
const test: PublishedFile = {
  name: 'test_32x32.mat',
  md5s: ['eb5a983be6a315427106f1b164d9cef3'],
  bytes: 64_275_384,
};

const publication = {
  dataset: 'svhn',
  files: [train, test] as const,
  installed: [],
  mirrors: ['http://ufldl.stanford.edu/housenumbers'],
  remedy: onlineOnce,
};

export const svhn: Dataset = {
  name: 'svhn',
  description: 'house numbers, cropped to their digits, 32x32 in colour',
  standsFor: [],
  shape,
  classes,
  normalize: halves(3),
  counts: { train: 73_257, test: 26_032 },
  publication,
  load: loadBoth(publication, readSvhn),
};
