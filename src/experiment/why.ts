/** Why a stage has the key it has: what differs from the nearest finished one. */
import { canonicalJson, type Json } from '../base/json.ts';
import { wholeConfig } from './keys.ts';
import type { StageNode } from './types.ts';

export type Identity = Pick<StageNode, 'key' | 'version' | 'config' | 'seed' | 'inputs'>;

export interface Difference {
  /** `config.epochs`, `inputs.zoo` or `version`. */
  field: string;
  /** Its value in the finished artefact; undefined where it has none. */
  before: Json | undefined;
  now: Json | undefined;
}

function fields({ version, config, seed, inputs }: Identity): Map<string, Json> {
  return new Map<string, Json>([
    ['version', version],
    ...Object.entries(wholeConfig({ config, seed })).map(
      ([name, value]) => [`config.${name}`, value] as const,
    ),
    ...Object.entries(inputs).map(([name, key]) => [`inputs.${name}`, key] as const),
  ]);
}

function differences(before: Identity, now: Identity): Difference[] {
  const [a, b] = [fields(before), fields(now)];
  return [...new Set([...a.keys(), ...b.keys()])]
    .map((field) => ({ field, before: a.get(field), now: b.get(field) }))
    .filter(
      ({ before: x, now: y }) => x === undefined || y === undefined || canonicalJson(x) !== canonicalJson(y),
    );
}

/** The candidate with the fewest differing fields, and these. Undefined where there is no candidate. */
export function explainKey(
  node: Identity,
  candidates: readonly Identity[],
): { nearest: Identity; differences: Difference[] } | undefined {
  let best: { nearest: Identity; differences: Difference[] } | undefined;
  for (const candidate of candidates) {
    const found = differences(candidate, node);
    if (!best || found.length < best.differences.length) best = { nearest: candidate, differences: found };
  }
  return best;
}
