/**
 * Whether the files of an artefact are what they were when it was finished: every file is read and its SHA-256 compared. What was found good
 * is remembered beside the folder, in `<key>.verified.json`, and not read again as long as the file's size, times and inode stay as they are.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeJson } from '../base/files.ts';
import { type ArtefactRecord, inspect, recordName } from './artefact.ts';
import { fingerprint, identify, type Verified } from './fingerprint.ts';

export const verifiedPath = (dir: string) => `${dir}.verified.json`;

/**
 * Says what is damaged; undefined if nothing is. `everything`: files that were found good before are read again too, since a disk can forget
 * without anybody writing.
 */
export async function verify(dir: string, { everything = false } = {}): Promise<string | undefined> {
  const found = inspect(dir);
  if ('damage' in found) return found.damage;
  const known = readVerified(dir);
  const good: Verified = {};
  for (const [path, expected] of Object.entries(sums(found.record, known))) {
    const file = join(dir, path);
    const untouched = `${expected} ${identify(file)}`;
    if (!everything && known[path] === untouched) {
      good[path] = untouched;
      continue;
    }
    const { sha256, identity } = await fingerprint(file, { sync: false });
    if (expected !== undefined && sha256 !== expected)
      return `${path} has another content than when it was written`;
    good[path] = `${sha256} ${identity}`;
  }
  if (!Bun.deepEquals(good, known)) await remember(dir, good);
  return undefined;
}

/** The sum that each file must have. The record's own is known only from when the artefact was verified before. */
function sums({ files }: ArtefactRecord, known: Verified): Record<string, string | undefined> {
  const expected = Object.entries(files).map(([path, { sha256 }]) => [path, sha256]);
  return { ...Object.fromEntries(expected), [recordName]: known[recordName]?.split(' ')[0] };
}

/** What was verified before; nothing if that cannot be read, and everything is read again then. */
function readVerified(dir: string): Verified {
  try {
    const known: unknown = JSON.parse(readFileSync(verifiedPath(dir), 'utf8'));
    const isText = (value: unknown) => typeof value === 'string';
    return known !== null && typeof known === 'object' && Object.values(known).every(isText)
      ? (known as Verified)
      : {};
  } catch {
    return {};
  }
}

/** Where a store cannot be written, everything is read each time. */
export async function remember(dir: string, good: Verified): Promise<void> {
  await writeJson(verifiedPath(dir), good).catch(() => {});
}
