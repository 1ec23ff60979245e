/** Content keys: the same work has the same key, whatever it is called and wherever it runs. */
import { canonicalJson, type JsonObject } from '../base/json.ts';
import type { StageNode } from './types.ts';

/** Whether a name can be a key. */
export const isContentKey = (name: string): boolean => /^[0-9a-f]{16}$/.test(name);

/** Reused: of a hash that is asked for as text, a part would keep the whole in memory. */
const digest = Buffer.alloc(32);

type Keyed = Pick<StageNode, 'stage' | 'version' | 'config' | 'seed' | 'inputs'>;

/** The config with the seed. */
export const wholeConfig = ({ config, seed }: Pick<StageNode, 'config' | 'seed'>): JsonObject =>
  seed === undefined ? config : { ...config, seed };

/** Makes the keys of a plan. */
export class ContentKeys {
  /** What stands in the text of a config before the place of a seed, and after it. */
  private readonly written = new WeakMap<JsonObject, readonly [before: string, after: string]>();

  /** 16 hex digits of the SHA-256 over what decides a stage's result. */
  of({ stage, version, config, seed, inputs }: Keyed): string {
    // Names in order, as canonicalJson writes them.
    const text = `{"config":${this.configText(config, seed)},"inputs":${canonicalJson(inputs)},"stage":"${stage}","version":${version}}`;
    Bun.SHA256.hash(text, digest);
    return digest.toString('hex', 0, 8);
  }

  /** As canonicalJson, with the seed. Thousands of stages may have one config but for their seeds: the rest is written once. */
  private configText(config: JsonObject, seed: number | undefined): string {
    const known = this.written.get(config) ?? write(config);
    this.written.set(config, known);
    const [before, after] = known;
    const parts = seed === undefined ? [before, after] : [before, `"seed":${seed}`, after];
    return `{${parts.filter((part) => part !== '').join(',')}}`;
  }
}

function write(config: JsonObject): readonly [string, string] {
  const [before, after]: [string[], string[]] = [[], []];
  for (const name of Object.keys(config).sort()) {
    const value = config[name];
    if (value !== undefined) (name < 'seed' ? before : after).push(`"${name}":${canonicalJson(value)}`);
  }
  return [before.join(','), after.join(',')];
}
