/** A folder of images as a data set. It is described without decoding any; decoded images are kept in the data cache. */
import { createHash } from 'node:crypto';
import { mkdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UnreadableFile } from '../../base/file-errors.ts';
import type { JsonObject } from '../../base/json.ts';
import { openSafetensors, type SafetensorsFile, writeSafetensors } from '../../base/safetensors.ts';
import { sizeOf } from '../../base/shape.ts';
import { FormatError } from '../../base/source.ts';
import type { ImageFolder } from '../../experiment/types.ts';
import { type Dataset, halves, type ImageSet, type Source } from '../dataset.ts';
import { FolderDecoder } from './decode.ts';
import { type ScannedFolder, scanImageFolder } from './scan.ts';

export interface FolderDataset extends Dataset {
  /** Where it is, and what is in it: what counts for the keys of all that is computed by it. */
  folder: { path: string; content: JsonObject };
}

/** Raised when other bytes are made of the same files. */
const cacheVersion = 1;

/** A file is written in pieces that are no longer than this. */
const mostBytes = 2 ** 31 - 1;

/** Looks into the folder, and reads the first image's header. Throws an error that names what is wrong with it, and the remedy. */
export function folderDataset(name: string, settings: ImageFolder): FolderDataset {
  const { folder, resize, test_share } = settings;
  const scanned = scanImageFolder(settings);
  const { classes, splits, fingerprint } = scanned;
  const first = join(folder, splits.train[0]?.file as string);
  const decoder = new FolderDecoder(folder, first, resize);
  const { shape } = decoder;
  const most = Math.max(...Object.values(splits).map((list) => list.length)) * sizeOf(shape);
  if (most > mostBytes)
    throw new FormatError(
      `${folder} has images of ${(most / 1e9).toFixed(0)} GB in memory: make them smaller, with resize: 64 for example`,
    );
  return {
    ...{ name, shape, classes: classes.length, normalize: halves(shape[2]), standsFor: [] },
    description: `images in ${folder}`,
    counts: { train: splits.train.length, test: splits.test.length },
    publication: null,
    folder: {
      path: folder,
      content: {
        fingerprint,
        ...(test_share !== undefined && { test_share }),
        ...(resize !== undefined && { resize }),
      },
    },
    async load(source, { validation }) {
      const { val, ...sets } = await cached(settings, scanned, decoder, source);
      return { ...sets, ...(val && validation !== undefined && { validation: val }) };
    },
  };
}

type Sets = { train: ImageSet; test: ImageSet; val?: ImageSet };

/** The decoded images out of the cache, where these files were decoded before; else by the decoder. One file for each folder and its settings. */
async function cached(
  { folder, ...settings }: ImageFolder,
  { splits, fingerprint }: ScannedFolder,
  decoder: FolderDecoder,
  { cacheDir, report }: Source,
): Promise<Sets> {
  const place = createHash('sha256').update(JSON.stringify([await realpath(folder), settings]));
  const path = join(cacheDir, 'folders', `${place.digest('hex').slice(0, 32)}.safetensors`);
  const wanted = `${fingerprint} ${cacheVersion}`;
  const names = (Object.keys(splits) as (keyof Sets)[]).filter((name) => splits[name] !== undefined);
  const file = await openSafetensors(path).catch(ignoreUnusable);
  try {
    if (file?.metadata.content === wanted) return await readSets(file, names);
  } finally {
    await file?.close();
  }
  const total = names.reduce((sum, name) => sum + (splits[name]?.length ?? 0), 0);
  const sets: Partial<Sets> = {};
  let before = 0;
  for (const name of names) {
    const list = splits[name] ?? [];
    sets[name] = await decoder.decode(list, (done) =>
      report({ done: before + done, total, unit: 'images decoded' }),
    );
    before += list.length;
  }
  await mkdir(dirname(path), { recursive: true });
  const tensors = Object.entries(sets).flatMap(([name, { images, labels }]) => [
    { name: `${name}.images`, shape: [labels.length, ...decoder.shape], data: images },
    { name: `${name}.labels`, shape: [labels.length], data: labels },
  ]);
  await writeSafetensors(path, tensors, { content: wanted });
  return sets as Sets;
}

/** What is not there, or is damaged, is decoded again. */
function ignoreUnusable(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && !(error instanceof UnreadableFile)) throw error;
}

async function readSets(file: SafetensorsFile, names: readonly (keyof Sets)[]): Promise<Sets> {
  const sets: Partial<Sets> = {};
  for (const name of names) {
    sets[name] = {
      images: (await file.read(`${name}.images`)) as Uint8Array,
      labels: (await file.read(`${name}.labels`)) as Uint8Array,
    };
  }
  return sets as Sets;
}
