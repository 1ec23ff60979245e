/** What is in a store and no plan needs: artefacts of settings that were changed since, interrupted work, what was set aside. */
import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Lease } from '../base/lease.ts';
import { isContentKey } from '../experiment/keys.ts';
import { stages } from '../stages/registry.ts';
import { partialEnding } from './partial.ts';
import { heldPart } from './parts.ts';
import type { KeptPlan } from './plans.ts';
import type { Store } from './store.ts';

/** What there is of one key. */
export interface Unneeded {
  stage: string;
  key: string;
  /** An artefact that no plan has, work on one that never finished, what is left of one that is needed, or scripts and output of jobs. */
  what: 'artefact' | 'unfinished' | 'set aside' | 'ended jobs';
  paths: string[];
  bytes: number;
}

/** Set aside: damaged, replaced by `exp rerun`, or not quite removed. */
const isAside = (name: string) => /\.(damaged|old-\d+|removed)$/.test(name);

/** Everything that these plans do not need. A store may be a folder that has other things too: those are nobody's here. */
export function findUnneeded(store: Store, plans: readonly KeptPlan[]): Unneeded[] {
  const needed = new Set(plans.flatMap(({ stages }) => stages.map(({ key }) => key)));
  return Object.keys(stages)
    .filter((stage) => existsSync(join(store.root, stage)))
    .flatMap((stage) => {
      const folder = join(store.root, stage);
      const byKey = Map.groupBy(readdirSync(folder), (name) => name.split('.')[0] as string);
      return [...byKey].flatMap(([key, names]): Unneeded[] => {
        if (!isContentKey(key)) return [];
        // Of finished work, what was begun before or beside it.
        const isLeft = (name: string) =>
          isAside(name) || (names.includes(key) && name.endsWith(partialEnding));
        const gone = names.filter((name) => !name.endsWith('.lease') && (!needed.has(key) || isLeft(name)));
        if (gone.length === 0) return [];
        const paths = gone.map((name) => join(folder, name));
        const what = needed.has(key) ? 'set aside' : names.includes(key) ? 'artefact' : 'unfinished';
        return [{ stage, key, what, paths, bytes: paths.reduce((sum, path) => sum + sizeOf(path), 0) }];
      });
    });
}

/** Removes it, unless a process holds its lease; returns whether it did. Whole folders get another name first, so that no half of one is left. */
export async function removeUnneeded(store: Store, { stage, key, paths }: Unneeded): Promise<boolean> {
  const lease = await Lease.takeFromDead(store.lease({ stage, key }));
  if (!lease) return false;
  try {
    if (heldPart(store, { stage, key })) return false;
    const removed = `${store.folder({ stage, key })}.removed`;
    for (const path of paths) {
      if (path !== store.folder({ stage, key })) {
        await rm(path, { recursive: true, force: true });
        continue;
      }
      await rm(removed, { recursive: true, force: true });
      await rename(path, removed);
    }
    await rm(removed, { recursive: true, force: true });
    return true;
  } finally {
    lease.release();
  }
}

/** Bytes of a file, or of all files in a folder; links count as themselves. */
export function sizeOf(path: string): number {
  const info = lstatSync(path, { throwIfNoEntry: false });
  if (!info?.isDirectory()) return info?.size ?? 0;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}
