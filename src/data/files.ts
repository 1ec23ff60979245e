/** Finds the published files of a data set: in the user's folder, where a package put them, in the cache, or by download. */
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Source } from './dataset.ts';

export interface PublishedFile {
  name: string;
  /** Of the file as published. */
  md5: string;
}

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

const md5 = (bytes: Uint8Array) => new Bun.CryptoHasher('md5').update(bytes).digest('hex');

/** Refuses content that is not the published file's, so that a wrong file never passes for the data set. */
function check(path: string, bytes: Uint8Array, file: PublishedFile): Uint8Array {
  const found = md5(bytes);
  if (found === file.md5) return bytes;
  throw new Error(
    `${path}: not the published ${file.name} (MD5 ${found}, expected ${file.md5}). Remove it or replace it.`,
  );
}

async function download(url: string, file: PublishedFile, source: Source): Promise<Uint8Array> {
  const response = await fetch(url, { signal: AbortSignal.timeout(600_000) });
  if (!response.ok || !response.body) throw new Error(`${response.status} ${response.statusText}`);
  const total = Number(response.headers.get('content-length') ?? 0);
  const chunks: Uint8Array[] = [];
  let done = 0;
  for await (const chunk of response.body) {
    chunks.push(chunk);
    done += chunk.length;
    source.report({ done, total: Math.max(total, done), unit: `bytes of ${file.name}` });
  }
  return check(url, Buffer.concat(chunks), file);
}

/**
 * The bytes of one published file. Looks in `<dataDir>/<data set>`, `<dataDir>`, the installed folders and the cache, then
 * downloads into the cache. Throws an error that lists where it looked and what to do.
 */
export async function findFile(
  publication: Publication,
  file: PublishedFile,
  source: Source,
): Promise<Uint8Array> {
  const cached = join(source.cacheDir, publication.dataset, file.name);
  const user = source.dataDir ? [join(source.dataDir, publication.dataset), source.dataDir] : [];
  const places = [...[...user, ...publication.installed].map((folder) => join(folder, file.name)), cached];
  for (const path of places) {
    const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
      throw error;
    });
    if (bytes) return check(path, bytes, file);
  }
  const failures: string[] = [];
  for (const mirror of publication.mirrors) {
    try {
      const bytes = await download(`${mirror}/${file.name}`, file, source);
      await mkdir(dirname(cached), { recursive: true });
      const temporary = `${cached}.${process.pid}.tmp`;
      await Bun.write(temporary, bytes);
      await rename(temporary, cached).finally(() => rm(temporary, { force: true }));
      return bytes;
    } catch (error) {
      failures.push(`  ${mirror}/${file.name}: ${(error as Error).message}`);
    }
  }
  throw new Error(
    [
      `data set ${publication.dataset}: ${file.name} is not here and could not be downloaded.`,
      'Looked for:',
      ...places.map((path) => `  ${path}`),
      'Tried to download:',
      ...failures,
      `Remedy: ${publication.remedy}, or put the files in a folder and name it with --data or EXP_DATA.`,
    ].join('\n'),
  );
}
