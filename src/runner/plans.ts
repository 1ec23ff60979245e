/** The plans that a store keeps, `plans/<name>-<hash>.json`: as they were when they were last run, and so what its artefacts are for. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { readJson, writeJson } from '../base/files.ts';
import { canonicalJson, type Json } from '../base/json.ts';
import type { Plan } from '../experiment/types.ts';
import type { Store } from './store.ts';

/** What was run: a file, with what the arguments changed. */
export interface Origin {
  /** From the store on. */
  file: string;
  set: Record<string, Json>;
  /** Empty: all runs of the file. */
  only: Record<string, string[]>;
}

export interface KeptPlan extends Plan {
  /** By which the store knows it: the experiment's name and a hash of the origin. */
  id: string;
  /** Null for one that an earlier version of the program kept. */
  origin: Origin | null;
}

const folderOf = ({ root }: Store) => join(root, 'plans');

/** What was run as seen from a store, which may move with its experiments. */
export const originOf = (store: Store, file: string, set: Origin['set'], only: Origin['only']): Origin => ({
  file: relative(store.root, resolve(file)),
  ...{ set, only },
});

/** The file that an origin names, from the working directory on. */
export const fileOf = (store: Store, { file }: Origin): string =>
  relative(process.cwd(), join(store.root, file));

/** By which the store knows a plan. */
export function planId(name: string, origin: Origin): string {
  const hash = new Bun.CryptoHasher('sha256').update(canonicalJson(origin as unknown as Json)).digest('hex');
  return `${name}-${hash.slice(0, 8)}`;
}

/**
 * Keeps a plan as it is before its first job, in the place of the last one of the same origin; one of all runs stands for those of some of them.
 * Returns the file's path. Throws a StorageError if the store cannot be written.
 */
export async function keepPlan(store: Store, plan: Plan, origin: Origin): Promise<string> {
  const path = join(folderOf(store), `${planId(plan.name, origin)}.json`);
  try {
    mkdirSync(dirname(path), { recursive: true });
    await writeJson(path, { origin, ...plan });
    // An earlier version kept the last plan of each name, whatever it was of.
    await forgetPlan(store, plan.name);
    if (Object.keys(origin.only).length === 0) {
      const whole = canonicalJson(origin as unknown as Json);
      for (const { id, origin: other } of await keptPlans(store)) {
        const parts = other && Object.keys(other.only).length > 0;
        if (parts && canonicalJson({ ...other, only: {} } as unknown as Json) === whole)
          await forgetPlan(store, id);
      }
    }
    return path;
  } catch (error) {
    throw store.refused(error);
  }
}

/** All of them. Throws an UnreadableFile if one cannot be read: nobody knows then what it needs. */
export async function keptPlans(store: Store): Promise<KeptPlan[]> {
  const folder = folderOf(store);
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
  return Promise.all(
    names.sort().map(async (name) => {
      const kept = (await readJson(join(folder, name))) as Plan & { origin?: Origin };
      return { ...kept, id: name.slice(0, -'.json'.length), origin: kept.origin ?? null };
    }),
  );
}

/** Removes a plan, not its artefacts. */
export const forgetPlan = (store: Store, id: string): Promise<void> =>
  rm(join(folderOf(store), `${id}.json`), { force: true });
