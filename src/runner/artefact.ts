/** A finished artefact: a folder of files, and the record that says how they came about and what they must be. */

import { readFileSync, statSync } from 'node:fs';
import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../base/file-errors.ts';
import { temporaryEnding, writeJson } from '../base/files.ts';
import { isObject } from '../base/json.ts';
import type { StageNode } from '../experiment/types.ts';
import type { Environment } from './environment.ts';
import { fingerprint, type Verified } from './fingerprint.ts';
import type { Workload } from './workload.ts';

export const recordName = 'artefact.json';

export interface ArtefactRecord extends Omit<StageNode, 'parts' | 'options' | 'seed'> {
  workload: Workload;
  environment: Environment;
  timing: {
    finishedAt: string;
    /** Seconds that its jobs took, added up. */
    seconds: number;
    /** Whether it resumed earlier, interrupted work, whose seconds are not counted. */
    resumed: boolean;
  };
  /** Every file but the record, by its path in the folder. */
  files: Record<string, { bytes: number; sha256: string }>;
}

/**
 * Writes the record of a finished folder: hashes every file and flushes all of it to disk. Temporary files that a
 * killed writer left are removed. Returns what was hashed, the record too.
 */
export async function seal(dir: string, record: Omit<ArtefactRecord, 'files'>): Promise<Verified> {
  const files: ArtefactRecord['files'] = {};
  const verified: Verified = {};
  const read = async (path: string, sync: boolean) => {
    const { bytes, sha256, identity } = await fingerprint(join(dir, path), { sync });
    verified[path] = `${sha256} ${identity}`;
    return { bytes, sha256 };
  };
  for (const path of await listFiles(dir)) {
    if (path.endsWith(temporaryEnding)) await rm(join(dir, path));
    else if (path !== recordName) files[path] = await read(path, true);
  }
  await writeJson(join(dir, recordName), { ...record, files });
  await read(recordName, false);
  return verified;
}

/** What the system says of a file that is not as it was; anything else, e.g. a lack of permission, says nothing of the file. */
const damageCodes: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'EIO', 'ESTALE']);

/** The record of the folder, with what is wrong at a glance: a missing record, a missing file, a wrong size. */
export function inspect(dir: string): { record: ArtefactRecord } | { damage: string } {
  let record: unknown;
  try {
    record = JSON.parse(readFileSync(join(dir, recordName), 'utf8'));
  } catch (error) {
    if (isSystemError(error) && !damageCodes.has(error.code ?? '')) throw error;
    return { damage: `${recordName} cannot be read (${(error as Error).message})` };
  }
  if (!isRecord(record)) return { damage: `${recordName} is no record of an artefact` };
  for (const [path, { bytes }] of Object.entries(record.files)) {
    const size = statSync(join(dir, path), { throwIfNoEntry: false })?.size;
    if (size === undefined) return { damage: `${path} is missing` };
    if (size !== bytes) return { damage: `${path} has ${size} bytes instead of ${bytes}` };
  }
  return { record };
}

/** Whether it has all that is read of a record whose bytes nobody has compared yet. */
function isRecord(value: unknown): value is ArtefactRecord {
  if (!isObject(value)) return false;
  const { stage, key, label, config, inputs, workload, environment, timing, files } = value;
  return (
    [stage, key, label].every((text) => typeof text === 'string') &&
    [config, inputs, workload, environment, timing, files].every(isObject) &&
    typeof (workload as Partial<Workload>).kind === 'string' &&
    typeof (workload as Partial<Workload>).amount === 'number' &&
    typeof (timing as Partial<ArtefactRecord['timing']>).seconds === 'number' &&
    typeof (timing as Partial<ArtefactRecord['timing']>).finishedAt === 'string' &&
    Object.values(files as object).every((file) => isObject(file) && typeof file.sha256 === 'string')
  );
}

/** Flushes the names in a folder to disk, after a rename. */
export async function syncFolder(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  await handle.sync();
  await handle.close();
}

async function listFiles(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .sort();
}
