import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { checkLabels, damaged } from './damaged.ts';
import { type Dataset, halves, type ImageSet, type Shape } from './dataset.ts';
import { findFile, onlineOnce, type Publication } from './files.ts';
import { readCifarPickle } from './formats/cifar-pickle.ts';
import { planesToPixels } from './formats/planes.ts';
import { readTarGz } from './formats/tar.ts';
import { checkFile, type PublishedFile } from './published.ts';

/**
 * CIFAR-10 and CIFAR-100, the binary versions: records of the label (CIFAR-100: coarse, then fine) and the three planes of an image; and the
 * Python versions, as torchvision keeps them: an archive of pickles, or its folder.
 */

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
  python: PythonLayout;
}

/** Where the batches of the Python version are, with their MD5 sums. */
interface PythonLayout {
  archive: PublishedFile;
  folder: string;
  train: Readonly<Record<string, string>>;
  test: Readonly<Record<string, string>>;
  labels: string;
}

/** Batches of the Python version as one set: from the archive, or from a file of its folder on. Errors name the file. */
async function readPython(path: string, { python, classes, recordsPerFile }: CifarLayout) {
  const batches = { ...python.train, ...python.test };
  // Besides its planes an image has a label and a name.
  const most = (name: string) =>
    (name in python.train ? recordsPerFile.train : recordsPerFile.test) * (planes + 200) + 10_000;
  const members = path.endsWith('.gz')
    ? await readTarGz(
        path,
        Object.fromEntries(Object.keys(batches).map((name) => [`${python.folder}/${name}`, most(name)])),
      )
    : await readBatches(dirname(path), python.folder, batches);
  const read = (names: readonly string[]): ImageSet => {
    const files = names.map((name) => {
      const file = `${path} (${name})`;
      const bytes = members.get(`${python.folder}/${name}`) as Uint8Array;
      const batch = readCifarPickle(file, bytes, { labels: python.labels, planes });
      checkLabels(file, batch.labels, classes);
      return batch;
    });
    return joinPlanes(
      files.map((batch) => ({ bytes: batch.planes, labels: batch.labels })),
      0,
    );
  };
  return { train: read(Object.keys(python.train)), test: read(Object.keys(python.test)) };
}

async function readBatches(folder: string, name: string, batches: Readonly<Record<string, string>>) {
  const members = new Map<string, Uint8Array>();
  for (const [batch, md5] of Object.entries(batches)) {
    const path = join(folder, batch);
    const bytes = (await stat(path)).size;
    await checkFile(path, { name: batch, md5s: [md5], bytes });
    members.set(`${name}/${batch}`, await readFile(path));
  }
  return members;
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
  return joinPlanes(files, labelBytes);
}

/** Images of planes with so many bytes in front of each, one file after the other. */
function joinPlanes(files: readonly { bytes: Uint8Array; labels: Uint8Array }[], before: number): ImageSet {
  const count = files.reduce((sum, { labels }) => sum + labels.length, 0);
  const set = { images: new Uint8Array(count * planes), labels: new Uint8Array(count) };
  let at = 0;
  for (const { bytes, labels } of files) {
    const out = set.images.subarray(at * planes, (at + labels.length) * planes);
    planesToPixels(bytes, labels.length, shape, { before }, out);
    set.labels.set(labels, at);
    at += labels.length;
  }
  return set;
}

/** Both splits from the archive at that path, of either version, or from the Python version's folder that the path is in. */
export async function readCifar(
  path: string,
  layout: CifarLayout,
): Promise<{ train: ImageSet; test: ImageSet }> {
  const inPython = [layout.python.archive.name, ...Object.keys(layout.python.test)];
  if (inPython.includes(basename(path))) return readPython(path, layout);
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

/** By which the Python version's folder is found. */
function unpackedBatch({ folder, test }: PythonLayout): PublishedFile {
  const [[name, md5]] = Object.entries(test) as [[string, string]];
  return { name: `${folder}/${name}`, md5s: [md5], bytes: 0 };
}

function cifarDataset(
  about: Pick<Dataset, 'name' | 'description' | 'normalize'>,
  layout: CifarLayout,
  file: PublishedFile,
): Dataset {
  const publication: Publication = {
    dataset: about.name,
    files: [{ ...file, torchvision: [layout.python.archive, unpackedBatch(layout.python)] }],
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
    load: async (source) =>
      readCifar(await findFile(publication, publication.files[0] as PublishedFile, source), layout),
  };
}

export const cifar10Layout: CifarLayout = {
  folder: 'cifar-10-batches-bin',
  train: [1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`),
  test: ['test_batch.bin'],
  recordsPerFile: { train: 10_000, test: 10_000 },
  labelBytes: 1,
  classes: 10,
  python: {
    archive: {
      name: 'cifar-10-python.tar.gz',
      md5s: ['c58f30108f718f92721af3b95e74349a'],
      bytes: 170_498_071,
    },
    folder: 'cifar-10-batches-py',
    train: {
      data_batch_1: 'c99cafc152244af753f735de768cd75f',
      data_batch_2: 'd4bba439e000b95fd0a9bffe97cbabec',
      data_batch_3: '54ebc095f3ab1f0389bbae665268c751',
      data_batch_4: '634d18415352ddfa80567beed471001a',
      data_batch_5: '482c414d41f54cd18b22e5b47cb7c3cb',
    },
    test: { test_batch: '40351d587109b95175f43aff81a1287e' },
    labels: 'labels',
  },
};

export const cifar100Layout: CifarLayout = {
  folder: 'cifar-100-binary',
  train: ['train.bin'],
  test: ['test.bin'],
  recordsPerFile: { train: 50_000, test: 10_000 },
  labelBytes: 2,
  classes: 100,
  python: {
    archive: {
      name: 'cifar-100-python.tar.gz',
      md5s: ['eb9058c3a382ffc7106e4002c42a8d85'],
      bytes: 169_001_437,
    },
    folder: 'cifar-100-python',
    train: { train: '16019d7e3df5f24257cddd939b257f8d' },
    test: { test: 'f0ef6b0ae62326f3e7ffdfab6717acfc' },
    labels: 'fine_labels',
  },
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
