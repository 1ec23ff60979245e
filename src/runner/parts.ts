/**
 * Parts of a divided stage that are computed by jobs of several machines: each under a lease of its own, in `<key>.part-<n>.partial/`. Whoever
 * computes the whole stage moves what they made to its own folder, and computes what they did not.
 */
import { existsSync, readdirSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { makeFolder } from '../base/files.ts';
import { isHeld, Lease } from '../base/lease.ts';
import type { StageNode } from '../experiment/types.ts';
import { takeWork } from './partial.ts';
import type { Store } from './store.ts';

type StageId = Pick<StageNode, 'stage' | 'key'>;

/** The lease under which a process computes the stage or a part of it now; undefined where none does. */
export function heldLease(store: Store, stage: StageId): string | undefined {
  return isHeld(store.lease(stage)) ? store.lease(stage) : heldPart(store, stage);
}

/** As `heldLease`, of parts alone. */
export const heldPart = (store: Store, stage: StageId): string | undefined =>
  partPaths(store, stage, '.lease').find(isHeld);

/** The folders that parts of a stage were begun in. */
export const begunParts = (store: Store, stage: StageId): string[] => partPaths(store, stage, '.partial');

function partPaths(store: Store, stage: StageId, ending: string): string[] {
  const folder = dirname(store.folder(stage));
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter(
    (name) => name.startsWith(`${stage.key}.part-`) && name.endsWith(ending),
  );
  return names.map((name) => join(folder, name));
}

/**
 * Moves what parts made to `dir`, the folder of the whole stage, and returns whether there was anything. A part that a process still computes
 * keeps its folder. Needs the stage's lease, and stops where that is lost.
 */
export async function gatherParts(
  store: Store,
  node: StageNode,
  dir: string,
  whole: Lease,
): Promise<boolean> {
  let found = false;
  for (let part = 0; part < node.parts; part++) {
    const partial = store.partial(node, part);
    if (!existsSync(partial)) continue;
    const lease = await Lease.takeFromDead(store.lease(node, part));
    if (!lease) continue;
    try {
      const work = await takeWork(partial);
      const entries = await readdir(work.dir, { recursive: true, withFileTypes: true });
      const paths = entries.map(
        (entry) => [join(entry.parentPath, entry.name), entry.isDirectory()] as const,
      );
      // Sorted, so that folders come before what is in them.
      for (const [from, isFolder] of paths.sort()) {
        if (!whole.check()) return found;
        const to = join(dir, relative(work.dir, from));
        if (isFolder) await makeFolder(to);
        else await rename(from, to);
        found = true;
      }
      await rm(partial, { recursive: true, force: true });
    } finally {
      lease.release();
    }
  }
  return found;
}
