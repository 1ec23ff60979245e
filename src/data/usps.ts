import Bunzip from 'seek-bzip';
import { checkLabels, damaged } from './damaged.ts';
import type { Dataset, ImageSet, Shape } from './dataset.ts';
import { loadBoth, onlineOnce } from './files.ts';
import type { PublishedFile } from './published.ts';

/** USPS, handwritten digits of zip codes, as LIBSVM publishes them: a line `label 1:value … 256:value` each, labels from 1 on, values from -1 to 1. */

const shape: Shape = [16, 16, 1];
const size = shape[0] * shape[1];
const classes = 10;

/** The images of one file, packed by bzip2. Errors name it. */
export function readUsps(file: string, packed: Uint8Array): ImageSet {
  let text: string;
  try {
    text = Bunzip.decode(Buffer.from(packed)).toString('latin1');
  } catch {
    throw damaged(file, 'cannot be unpacked: damaged, or cut short');
  }
  return parseUsps(file, text);
}

/** The images of the unpacked text. Errors name the file. */
export function parseUsps(file: string, text: string): ImageSet {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0) throw damaged(file, 'no images');
  const images = new Uint8Array(lines.length * size);
  const labels = lines.map((line, n) => {
    const [label, ...pairs] = line.trim().split(/\s+/);
    const values = pairs.map((pair, i) => {
      const [index, value] = pair.split(':');
      return index === String(i + 1) ? Number(value) : Number.NaN;
    });
    if (values.length !== size || !values.every((value) => value >= -1 && value <= 1))
      throw damaged(file, `line ${n + 1} is not a label and ${size} numbers from -1 to 1`);
    // In single precision and truncated, as torchvision has it.
    for (const [i, value] of values.entries()) {
      const half = Math.fround((Math.fround(value) + 1) / 2);
      images[n * size + i] = Math.trunc(Math.fround(half * 255));
    }
    return Number(label);
  });
  checkLabels(file, labels, classes, 1);
  return { images, labels: Uint8Array.from(labels, (label) => label - 1) };
}

const train: PublishedFile = {
  name: 'usps.bz2',
  md5s: ['ec16c51db3855ca6c91edd34d0e9b197'],
  bytes: 6_579_383,
};
const test: PublishedFile = {
  name: 'usps.t.bz2',
  md5s: ['8ea070ee2aca1ac39742fdd1ef5ed118'],
  bytes: 1_831_726,
};

const publication = {
  dataset: 'usps',
  files: [train, test] as const,
  installed: [],
  mirrors: ['https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass'],
  remedy: onlineOnce,
};

export const usps: Dataset = {
  name: 'usps',
  description: 'handwritten digits of zip codes, 16x16 grey',
  standsFor: [],
  shape,
  classes,
  // As the USPS zoo has it, which took MNIST's.
  normalize: { mean: [0.1307], std: [0.3081] },
  counts: { train: 7_291, test: 2_007 },
  publication,
  load: loadBoth(publication, readUsps),
};
