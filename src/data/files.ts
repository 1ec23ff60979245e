/** Finds the published files of a data set: in the user's folder, where a package put them, in the cache, or by download. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dataset, ImageSet, Source } from './dataset.ts';
import { fetchOnce } from './download.ts';
import { checkFile, type PublishedFile } from './published.ts';

export interface Publication {
  dataset: string;
  files: readonly PublishedFile[];
  /** Folders where a system package puts them. */
  installed: readonly string[];
  /** Addresses of a folder with the files, tried in order. */
  mirrors: readonly string[];
  /** What to do where nothing works, as the end of a sentence. */
  remedy: string;
}

/** What the user must do where the files cannot be downloaded. */
export const onlineOnce = 'run `exp data get` once on a machine with internet access';

/** Where downloads of a data set go: the user's folder for `exp data get --data`, else the cache. */
const folderFor = ({ dataset }: Publication, base: string) => join(base, dataset);

/** A path where a file is looked for, and the file that would be there. */
interface Place {
  path: string;
  file: PublishedFile;
}

/** Every place where a file is looked for, in order. */
function placesOf(publication: Publication, file: PublishedFile, source: Source): Place[] {
  const { dataDir, cacheDir } = source;
  const inFolder = (folder: string) => ({ path: join(folder, file.name), file });
  const user = dataDir ? [folderFor(publication, dataDir), dataDir].map(inFolder) : [];
  const others = dataDir
    ? (file.torchvision ?? []).map((other) => ({ path: join(dataDir, other.name), file: other }))
    : [];
  return [...user, ...others, ...[...publication.installed, folderFor(publication, cacheDir)].map(inFolder)];
}

/** The first place that has the file, whatever its content; undefined for none. */
export async function locate(
  publication: Publication,
  file: PublishedFile,
  source: Source,
): Promise<Place | undefined> {
  for (const place of placesOf(publication, file, source)) {
    const { path } = place;
    const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
      throw error;
    });
    if (found?.isFile()) return place;
  }
  return undefined;
}

/**
 * The path of one published file, whose content was checked. Looks in `<dataDir>/<data set>`, `<dataDir>`, where torchvision puts it in
 * `<dataDir>`, the installed folders and the cache, then downloads, by default into the cache. Throws an error that lists where it looked and what to do.
 */
export async function findFile(
  publication: Publication,
  file: PublishedFile,
  source: Source,
  downloads = source.cacheDir,
): Promise<string> {
  const here = await locate(publication, file, source);
  if (here) return checkFile(here.path, here.file);
  const to = join(folderFor(publication, downloads), file.name);
  const failures = await fetchOnce(publication.mirrors, file, to, source.report);
  if (!failures) return to;
  throw new Error(
    [
      `data set ${publication.dataset}: ${file.name} is not here and could not be downloaded.`,
      'Looked for:',
      ...placesOf(publication, file, source).map(({ path }) => `  ${path}`),
      'Tried to download:',
      ...failures.map((failure) => `  ${failure}`),
      `Remedy: ${publication.remedy}, or put the files in a folder and name it with --data or EXP_DATA.`,
    ].join('\n'),
  );
}

/** How a data set is loaded whose publication has two files: the training images, then the test images. */
export function loadBoth(
  publication: Publication & { files: readonly [PublishedFile, PublishedFile] },
  read: (path: string, bytes: Uint8Array) => ImageSet,
): Dataset['load'] {
  return async (source) => {
    const load = async (file: PublishedFile) => {
      const path = await findFile(publication, file, source);
      return read(path, await readFile(path));
    };
    const [train, test] = publication.files;
    return { train: await load(train), test: await load(test) };
  };
}
