/** Content keys: the same work has the same key, whatever it is called and wherever it runs. */
import { canonicalJson, type JsonObject } from '../base/json.ts';
import type { StageNode } from './types.ts';

/** Whether a name can be a key. */
export const isContentKey = (name: string): boolean => /^[0-9a-f]{16}$/.test(name);

/** Reused: of a hash that is asked for as text, a part would keep the whole in memory. */
const digest = Buffer.alloc(32);

/** 16 hex digits of the SHA-256 over what decides a stage's result. A `seed` that is given is part of the config. */
export function contentKey({
  stage,
  version,
  config,
  seed,
  inputs,
}: Pick<StageNode, 'stage' | 'version' | 'config' | 'inputs'> & { seed?: number | undefined }): string {
  // Names in order, as canonicalJson writes them.
  const text = `{"config":${configText(config, seed)},"inputs":${canonicalJson(inputs)},"stage":"${stage}","version":${version}}`;
  Bun.SHA256.hash(text, digest);
  return digest.toString('hex', 0, 8);
}

/** What stands in the text of a config before the place of a seed, and after it. */
const written = new WeakMap<JsonObject, readonly [before: string, after: string]>();

/** As canonicalJson, with the seed. Thousands of stages may have one config but for their seeds: the rest is written once. */
function configText(config: JsonObject, seed: number | undefined): string {
  const known = written.get(config) ?? write(config);
  written.set(config, known);
  const [before, after] = known;
  const parts = seed === undefined ? [before, after] : [before, `"seed":${seed}`, after];
  return `{${parts.filter((part) => part !== '').join(',')}}`;
}

function write(config: JsonObject): readonly [string, string] {
  const [before, after]: [string[], string[]] = [[], []];
  for (const name of Object.keys(config).sort()) {
    const value = config[name];
    if (value !== undefined) (name < 'seed' ? before : after).push(`"${name}":${canonicalJson(value)}`);
  }
  return [before.join(','), after.join(',')];
}
