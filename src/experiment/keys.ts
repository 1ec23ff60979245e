/** Content keys: the same work has the same key, whatever it is called and wherever it runs. */
import { canonicalJson } from '../base/json.ts';
import type { StageNode } from './types.ts';

/** Whether a name can be a key. */
export const isContentKey = (name: string): boolean => /^[0-9a-f]{16}$/.test(name);

/** Reused: of a hash that is asked for as text, a part would keep the whole in memory. */
const digest = Buffer.alloc(32);

/** 16 hex digits of the SHA-256 over what decides a stage's result. */
export function contentKey({
  stage,
  version,
  config,
  inputs,
}: Pick<StageNode, 'stage' | 'version' | 'config' | 'inputs'>): string {
  Bun.SHA256.hash(canonicalJson({ stage, version, config, inputs }), digest);
  return digest.toString('hex', 0, 8);
}
