/** Artefacts that are to be computed again: they get another name, with all that was computed from them. */
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { describeOwner, Lease } from '../base/lease.ts';
import type { StageNode } from '../experiment/types.ts';
import { begunParts, heldLease, heldPart } from './parts.ts';
import type { Store } from './store.ts';
import { verifiedPath } from './verify.ts';

type Linked = Pick<StageNode, 'stage' | 'key' | 'inputs'>;

/** What was computed from these keys, and from that, among all that is known; with the keys themselves, each before its inputs. */
export function dependents<Of extends Linked>(keys: readonly string[], known: readonly Of[]): Of[] {
  const readers = new Map<string, Of[]>();
  for (const one of known)
    for (const input of Object.values(one.inputs)) readers.set(input, [...(readers.get(input) ?? []), one]);
  const byKey = new Map(known.map((one) => [one.key, one]));
  const found = new Map<string, Of>();
  const seen = new Set<string>();
  const add = (key: string) => {
    const one = byKey.get(key);
    if (!one || seen.has(key)) return;
    seen.add(key);
    for (const reader of readers.get(key) ?? []) add(reader.key);
    found.set(key, one);
  };
  for (const key of keys) add(key);
  return [...found.values()];
}

/** A process is computing what was to be set aside. */
export class InUse extends Error {
  override readonly name = 'InUse';
}

/**
 * Gives finished artefacts and begun work of these stages the name `<key>.old-<number>`, and forgets their failures. All or none: throws an
 * InUse where a process is computing one of them. Returns the artefacts that were set aside.
 */
export async function setAside<Of extends Linked>(store: Store, stages: readonly Of[]): Promise<Of[]> {
  const leases: Lease[] = [];
  try {
    const there = stages.filter((stage) =>
      [store.folder(stage), store.partial(stage), store.lease(stage), store.failurePath(stage)]
        .concat(begunParts(store, stage))
        .some((path) => existsSync(path)),
    );
    for (const stage of there) {
      const lease = await Lease.takeFromDead(store.lease(stage));
      if (lease) leases.push(lease);
      // Its own lease is this process's now; one of a part is not.
      const path = lease ? heldPart(store, stage) : (heldLease(store, stage) ?? store.lease(stage));
      if (path)
        throw new InUse(
          `${stage.stage}/${stage.key} is being computed by another process${describeOwner(path)}`,
        );
    }
    const finished = there.filter((stage) => existsSync(store.folder(stage)));
    for (const stage of there) {
      const folder = store.folder(stage);
      await rm(store.failurePath(stage), { force: true });
      await rm(verifiedPath(folder), { force: true });
      for (const path of [folder, store.partial(stage), ...begunParts(store, stage)])
        if (existsSync(path)) await rename(path, freeName(folder));
    }
    return finished;
  } finally {
    for (const lease of leases) lease.release();
  }
}

function freeName(folder: string): string {
  for (let number = 1; ; number++) {
    const path = `${folder}.old-${number}`;
    if (!existsSync(path)) return path;
  }
}
