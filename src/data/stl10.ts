import { checkLabels, damaged } from './damaged.ts';
import { type Dataset, halves, type ImageSet, type Shape } from './dataset.ts';
import { findFile, onlineOnce, type Publication } from './files.ts';
import { planesToPixels } from './formats/planes.ts';
import { readTarGz } from './formats/tar.ts';
import type { PublishedFile } from './published.ts';

/** STL-10, the binary version: images as planes, each kept column by column, and labels from 1 on. Its unlabelled images are not read. */

const shape: Shape = [96, 96, 3];
const size = shape[0] * shape[1] * shape[2];
const classes = 10;
const counts = { train: 5_000, test: 8_000 };

/** Both splits from the archive at that path. Errors name it. */
export async function readStl10(path: string): Promise<{ train: ImageSet; test: ImageSet }> {
  const name = (split: string, part: 'X' | 'y') => `stl10_binary/${split}_${part}.bin`;
  const splits = Object.entries(counts);
  const members = await readTarGz(
    path,
    Object.fromEntries(
      splits.flatMap(([split, count]) => [
        [name(split, 'X'), count * size],
        [name(split, 'y'), count],
      ]),
    ),
  );
  const read = (split: string): ImageSet => {
    const [X, y] = [name(split, 'X'), name(split, 'y')];
    const [planes, kept] = [members.get(X) as Uint8Array, members.get(y) as Uint8Array];
    if (planes.length !== kept.length * size)
      throw damaged(
        `${path} (${X})`,
        `${planes.length} bytes for ${kept.length} labels of images of ${size}`,
      );
    checkLabels(`${path} (${y})`, kept, classes, 1);
    return {
      images: planesToPixels(planes, kept.length, shape, { byColumns: true }),
      labels: kept.map((label) => label - 1),
    };
  };
  return { train: read('train'), test: read('test') };
}

const file: PublishedFile = {
  name: 'stl10_binary.tar.gz',
  md5s: ['91f7769df0f17e558f3565bffb0c7dfb'],
  bytes: 2_640_397_119,
};

const publication: Publication = {
  dataset: 'stl-10',
  files: [file],
  installed: [],
  mirrors: ['http://ai.stanford.edu/~acoates/stl10'],
  remedy: onlineOnce,
};

export const stl10: Dataset = {
  name: 'stl-10',
  description: 'photographs of ten kinds of things, 96x96 in colour',
  standsFor: [],
  shape,
  classes,
  normalize: halves(3),
  counts,
  publication,
  load: async (source) => readStl10(await findFile(publication, file, source)),
};
