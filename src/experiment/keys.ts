/** Content keys: the same work has the same key, whatever it is called and wherever it runs. */
import type { Json, StageNode } from './types.ts';

/** JSON with the keys of every object in order, so that equal values have equal text. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.keys(value)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] as Json)}`);
    return `{${entries.join(',')}}`;
  }
  return JSON.stringify(value);
}

/** 16 hex digits of the SHA-256 over what decides a stage's result. */
export function contentKey({
  stage,
  version,
  config,
  inputs,
}: Pick<StageNode, 'stage' | 'version' | 'config' | 'inputs'>): string {
  const text = canonicalJson({ stage, version, config, inputs });
  return new Bun.CryptoHasher('sha256').update(text).digest('hex').slice(0, 16);
}
