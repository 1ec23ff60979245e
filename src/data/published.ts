/** A file as it was published, known by its checksum. */
import { createReadStream } from 'node:fs';

export interface PublishedFile {
  name: string;
  /** Of the file as published, and then as packages have it where they pack it anew. */
  md5s: readonly [string, ...string[]];
  /** As published. */
  bytes: number;
  /** Files with the same images where torchvision keeps them, by their paths from its root on; only the user's folder may be one. */
  torchvision?: readonly PublishedFile[];
}

/** MD5 sum of a file, read as a stream. */
async function md5Of(path: string): Promise<string> {
  const hasher = new Bun.CryptoHasher('md5');
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hasher.update(chunk);
  return hasher.digest('hex');
}

/** Refuses content that is not the published file's, so that a wrong file never passes for the data set. */
export async function checkFile(path: string, file: PublishedFile): Promise<string> {
  const found = await md5Of(path);
  if (file.md5s.includes(found)) return path;
  throw new Error(
    `${path}: not the published ${file.name} (MD5 ${found}, expected ${file.md5s[0]}). Remove it or replace it.`,
  );
}
