/**
 * Who works on a stage. The whole of it is computed by one process at a time, under the stage's lease. Parts of a divided stage may be computed
 * by processes of other machines instead, each under a lease of its own, and never beside the whole: whoever of two sees the other's lease
 * gives way.
 */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isHeld, Lease } from '../base/lease.ts';
import type { StageNode } from '../experiment/types.ts';
import type { Store } from './store.ts';

type StageId = Pick<StageNode, 'stage' | 'key'>;

/** The lease of a whole stage; undefined while another process computes it or a part of it. */
export function takeStage(store: Store, stage: StageId): Lease | undefined {
  const lease = take(store.lease(stage));
  if (!lease || !heldPart(store, stage)) return lease;
  lease.release();
  return undefined;
}

/** The lease of a part (0-based); undefined while another process computes it or the whole stage. */
export function takePart(store: Store, stage: StageId, part: number): Lease | undefined {
  const lease = take(store.lease(stage, part));
  if (!lease || !isHeld(store.lease(stage))) return lease;
  lease.release();
  return undefined;
}

/** The lease under which a process computes the stage or a part of it now; undefined where none does. */
export function heldLease(store: Store, stage: StageId): string | undefined {
  const path = store.lease(stage);
  return isHeld(path) ? path : heldPart(store, stage);
}

function heldPart(store: Store, stage: StageId): string | undefined {
  const path = store.lease(stage);
  const prefix = `${stage.key}.part-`;
  const names = existsSync(dirname(path)) ? readdirSync(dirname(path)) : [];
  return names
    .filter((name) => name.startsWith(prefix) && name.endsWith('.lease'))
    .map((name) => join(dirname(path), name))
    .find((part) => isHeld(part));
}

function take(path: string): Lease | undefined {
  mkdirSync(dirname(path), { recursive: true });
  return Lease.take(path);
}
