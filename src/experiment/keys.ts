/** Content keys: the same work has the same key, whatever it is called and wherever it runs. */
import { canonicalJson } from '../base/json.ts';
import type { StageNode } from './types.ts';

/** Whether a name can be a key. */
export const isContentKey = (name: string): boolean => /^[0-9a-f]{16}$/.test(name);

/** 16 hex digits of the SHA-256 over what decides a stage's result. */
export function contentKey({
  stage,
  version,
  config,
  inputs,
}: Pick<StageNode, 'stage' | 'version' | 'config' | 'inputs'>): string {
  const text = canonicalJson({ stage, version, config, inputs });
  return Bun.SHA256.hash(text, 'hex').slice(0, 16);
}
