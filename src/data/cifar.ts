import { checkLabels, damaged } from './damaged.ts';
import { type Dataset, halves, type ImageSet, type Shape } from './dataset.ts';
import { findFile, onlineOnce, type Publication } from './files.ts';
import { planesToPixels } from './formats/planes.ts';
import { readTarGz } from './formats/tar.ts';
import type { PublishedFile } from './published.ts';

/** CIFAR-10 and CIFAR-100, the binary versions: records of the label (CIFAR-100: coarse, then fine) and the three planes of an image. */

const shape: Shape = [32, 32, 3];
const planes = shape[0] * shape[1] * shape[2];

/** Where the records of a version are. */
export interface CifarLayout {
  folder: string;
  train: readonly string[];
  test: readonly string[];
  recordsPerFile: { train: number; test: number };
  /** Bytes in front of the planes, the last of which is the label. */
  labelBytes: number;
  classes: number;
}

/** The images of the members, one after the other. Errors name the archive and the member. */
function readRecords(
  archive: string,
  members: ReadonlyMap<string, Uint8Array>,
  names: readonly string[],
  { labelBytes, classes }: CifarLayout,
): ImageSet {
  const record = labelBytes + planes;
  const files = names.map((name) => {
    const bytes = members.get(name) as Uint8Array;
    const file = `${archive} (${name})`;
    if (bytes.length === 0 || bytes.length % record !== 0)
      throw damaged(file, `${bytes.length} bytes are no whole number of records of ${record}`);
    const labels = Uint8Array.from(
      { length: bytes.length / record },
      (_, i) => bytes[i * record + labelBytes - 1] as number,
    );
    checkLabels(file, labels, classes);
    return { bytes, labels };
  });
  const count = files.reduce((sum, { labels }) => sum + labels.length, 0);
  const set = { images: new Uint8Array(count * planes), labels: new Uint8Array(count) };
  let at = 0;
  for (const { bytes, labels } of files) {
    const out = set.images.subarray(at * planes, (at + labels.length) * planes);
    planesToPixels(bytes, labels.length, shape, { before: labelBytes }, out);
    set.labels.set(labels, at);
    at += labels.length;
  }
  return set;
}

/** Both splits from the archive at that path. */
export async function readCifar(
  path: string,
  layout: CifarLayout,
): Promise<{ train: ImageSet; test: ImageSet }> {
  const full = (names: readonly string[]) => names.map((name) => `${layout.folder}/${name}`);
  const [train, test] = [full(layout.train), full(layout.test)];
  const record = layout.labelBytes + planes;
  const members = await readTarGz(path, {
    ...Object.fromEntries(train.map((name) => [name, layout.recordsPerFile.train * record])),
    ...Object.fromEntries(test.map((name) => [name, layout.recordsPerFile.test * record])),
  });
  return {
    train: readRecords(path, members, train, layout),
    test: readRecords(path, members, test, layout),
  };
}

function cifarDataset(
  about: Pick<Dataset, 'name' | 'description' | 'normalize'>,
  layout: CifarLayout,
  file: PublishedFile,
): Dataset {
  const publication: Publication = {
    dataset: about.name,
    files: [file],
    installed: [],
    mirrors: ['https://www.cs.toronto.edu/~kriz'],
    remedy: onlineOnce,
  };
  return {
    ...about,
    standsFor: [],
    shape,
    classes: layout.classes,
    counts: { train: 50_000, test: 10_000 },
    publication,
    load: async (source) => readCifar(await findFile(publication, file, source), layout),
  };
}

export const cifar10Layout: CifarLayout = {
  folder: 'cifar-10-batches-bin',
  train: [1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`),
  test: ['test_batch.bin'],
  recordsPerFile: { train: 10_000, test: 10_000 },
  labelBytes: 1,
  classes: 10,
};

export const cifar100Layout: CifarLayout = {
  folder: 'cifar-100-binary',
  train: ['train.bin'],
  test: ['test.bin'],
  recordsPerFile: { train: 50_000, test: 10_000 },
  labelBytes: 2,
  classes: 100,
};

export const cifar10 = cifarDataset(
  {
    name: 'cifar-10',
    description: 'photographs of ten kinds of things, 32x32 in colour',
    normalize: halves(3),
  },
  cifar10Layout,
  {
    name: 'cifar-10-binary.tar.gz',
    md5s: ['c32a1d4ab5d03f1284b67883e8d87530'],
    bytes: 170_052_171,
  },
);

export const cifar100 = cifarDataset(
  {
    name: 'cifar-100',
    description: 'photographs of a hundred kinds of things, 32x32 in colour',
    // As the zoo of ResNet-18 has it.
    normalize: { mean: [0.5071, 0.4867, 0.4408], std: [0.2675, 0.2565, 0.2761] },
  },
  cifar100Layout,
  {
    name: 'cifar-100-binary.tar.gz',
    md5s: ['03b5dce01913d631647c71ecec9e9cb8'],
    bytes: 168_513_733,
  },
);
