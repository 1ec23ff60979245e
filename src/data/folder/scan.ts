/** A folder of images as it lies on disk: which file is of which split and class, and a hash of them. No image is read. */
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { Random } from '../../base/random.ts';
import { FormatError } from '../../base/source.ts';
import { filesBelow } from '../../base/walk.ts';
import type { ImageFolder } from '../../experiment/types.ts';

export type FolderSplit = 'train' | 'test' | 'val';

export interface ListedImage {
  /** From the folder on. */
  file: string;
  /** Its class: the place of its folder's name among their names in order. */
  label: number;
}

export interface ScannedFolder {
  classes: string[];
  /** In the order of names. Validation images only where there is a folder `val`. */
  splits: { train: ListedImage[]; test: ListedImage[]; val?: ListedImage[] };
  /** Changes with the names, sizes and times of change of the images, and not with where the folder is. */
  fingerprint: string;
}

const defaultTestShare = 0.2;

/** Labels are bytes. */
const mostClasses = 256;

const readable = new Set(['.png', '.jpg', '.jpeg']);
const otherImages = new Set(['.gif', '.webp', '.bmp', '.tif', '.tiff', '.avif', '.heic', '.ppm', '.pgm']);

/** Lists the folder. Throws an error that names it and the remedy where it is no data set. */
export function scanImageFolder({ folder, test_share }: ImageFolder): ScannedFolder {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new FormatError(
      `there is no folder ${folder}: name one with a folder of PNG or JPEG files for each class`,
    );
  const names = foldersIn(folder);
  if (!names.includes('train')) {
    if (names.includes('test'))
      throw new FormatError(
        `${folder} has a folder test and no folder train: add it, or name a folder of classes`,
      );
    const classes = classesIn(folder, '');
    const images = imagesOf(folder, '', classes);
    const splits = divide(images, classes, test_share ?? defaultTestShare, folder);
    return { classes, splits, fingerprint: fingerprintOf(folder, images) };
  }
  if (!names.includes('test'))
    throw new FormatError(
      `${folder} has a folder train and no folder test: add it, or name ${join(folder, 'train')}, which is then split by test_share`,
    );
  if (test_share !== undefined)
    throw new FormatError(`${folder} has its test images in a folder test: take test_share out`);
  const other = names.find((name) => !['train', 'test', 'val'].includes(name));
  if (other !== undefined)
    throw new FormatError(`${folder} has a folder ${other} beside train, test and val: move it elsewhere`);
  const classes = classesIn(folder, 'train');
  for (const split of names) {
    const unknown = foldersIn(join(folder, split)).find((name) => !classes.includes(name));
    if (unknown !== undefined)
      throw new FormatError(
        `${join(folder, split)} has a class ${unknown}, of which ${join(folder, 'train')} has no images: add them, or move it elsewhere`,
      );
  }
  const of = (split: string) => {
    const there = foldersIn(join(folder, split));
    const images = imagesOf(folder, split, classes, (name) => there.includes(name));
    if (images.length > 0) return images;
    throw new FormatError(
      `${join(folder, split)} holds no images: add a folder of PNG or JPEG files for each class`,
    );
  };
  const splits = { train: of('train'), test: of('test'), ...(names.includes('val') && { val: of('val') }) };
  return { classes, splits, fingerprint: fingerprintOf(folder, Object.values(splits).flat()) };
}

/** Names of the folders in a folder in the order of their letters, as torchvision's ImageFolder has them; hidden ones are none. */
const foldersIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter(
      (name) =>
        !name.startsWith('.') && statSync(join(folder, name), { throwIfNoEntry: false })?.isDirectory(),
    )
    .sort();

function classesIn(folder: string, split: string): string[] {
  const here = join(folder, split);
  const classes = foldersIn(here);
  if (classes.length === 0)
    throw new FormatError(
      `${here} has no class folders: put the PNG or JPEG files of each class in a folder of its own`,
    );
  if (classes.length === 1)
    throw new FormatError(
      `${here} has one class only, ${classes[0]}: networks are trained to distinguish two or more`,
    );
  if (classes.length > mostClasses)
    throw new FormatError(
      `${here} has ${classes.length} class folders, more than the ${mostClasses} that are supported`,
    );
  return classes;
}

/** The images of these classes below a folder's split. A class without any is an error. */
function imagesOf(
  folder: string,
  split: string,
  classes: readonly string[],
  isThere: (name: string) => boolean = () => true,
): ListedImage[] {
  return classes.flatMap((name, label) => {
    if (!isThere(name)) return [];
    const path = join(split, name);
    const files = filesBelow(join(folder, path)).filter((file) => !basename(file).startsWith('.'));
    const strange = files.find((file) => otherImages.has(extname(file).toLowerCase()));
    if (strange !== undefined)
      throw new FormatError(
        `${join(folder, path, strange)} is neither PNG nor JPEG: convert it, or move it elsewhere`,
      );
    const images = files.filter((file) => readable.has(extname(file).toLowerCase())).sort();
    if (images.length === 0)
      throw new FormatError(
        `the class folder ${join(folder, path)} holds no PNG or JPEG file: add some, or remove it`,
      );
    return images.map((file) => ({ file: join(path, file), label }));
  });
}

/** Of each class the share of test images, chosen by a fixed seed; the order of the images stays. */
function divide(images: readonly ListedImage[], classes: readonly string[], share: number, folder: string) {
  const splits: { train: ListedImage[]; test: ListedImage[] } = { train: [], test: [] };
  for (const [label, name] of classes.entries()) {
    const own = images.filter((image) => image.label === label);
    const count = Math.round(share * own.length);
    if (count === 0 || count === own.length)
      throw new FormatError(
        `of the ${own.length} images in ${join(folder, name)} a test_share of ${share} leaves none for ${count === 0 ? 'testing' : 'training'}: add images, or change test_share`,
      );
    const order = new Random(0, 'data', 'folder', name).permutation(own.length);
    const tested = new Set(order.subarray(0, count));
    for (const [i, image] of own.entries()) splits[tested.has(i) ? 'test' : 'train'].push(image);
  }
  return splits;
}

function fingerprintOf(folder: string, images: readonly ListedImage[]): string {
  const hash = createHash('sha256');
  for (const { file } of images) {
    const { size, mtimeMs } = statSync(join(folder, file));
    hash.update(`${file}\0${size}\0${mtimeMs}\n`);
  }
  return hash.digest('hex').slice(0, 32);
}
