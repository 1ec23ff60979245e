/** Labels that distinguish the stages of a plan. */
import { isSameJson, type Json, type JsonObject } from '../base/json.ts';
import { asText } from './grid.ts';
import type { StageNode } from './types.ts';

/** Longer values are cut: a label is one line. */
const longest = 24;

const shorten = (text: string) => (text.length <= longest ? text : `${text.slice(0, longest - 1)}…`);

/**
 * Adds to equal labels what differs among their stages: `sane cnn-small/glyphs seed 0 d_model=64`. What a stage reads is
 * distinguished first, and then distinguishes it, too. Inputs stand before their readers.
 */
export function tellApart(stages: readonly StageNode[]): void {
  const differing = new Map<string, readonly string[]>();
  for (const [label, group] of Map.groupBy(stages, ({ label }) => label))
    if (group.length > 1) differing.set(label, fieldsThatDiffer(group.map(({ config }) => config)));
  const assignment = assignments();
  /** What distinguishes a stage, by key. */
  const marks = new Map<string, readonly string[]>();
  for (const node of stages) {
    const fields = differing.get(node.label);
    if (!fields) continue;
    const found = Object.values(node.inputs).flatMap((key) => {
      const ofInput = marks.get(key);
      return ofInput ? [ofInput] : [];
    });
    if (fields.length > 0) found.push(fields.map((name) => assignment(name, valueAt(node.config, name))));
    const all = found.length > 1 ? [...new Set(found.flat())] : (found[0] ?? []);
    if (all.length === 0) continue;
    marks.set(node.key, all);
    node.label = [node.label, ...all].join(' ');
  }
}

/** `name=value`; the same text for the same value, which a sweep has thousands of times. */
function assignments(): (name: string, value: Json) => string {
  const known = new Map<string, Map<Json, string>>();
  return (name, value) => {
    const ofName = known.get(name) ?? new Map<Json, string>();
    known.set(name, ofName);
    const text = ofName.get(value) ?? `${name}=${shorten(asText(value))}`;
    ofName.set(value, text);
    return text;
  };
}

/** Names of what differs, within objects as `recipe.width`. */
function fieldsThatDiffer(configs: readonly JsonObject[], prefix = ''): string[] {
  const names = new Set<string>();
  for (const config of configs) for (const name in config) names.add(name);
  return [...names].flatMap((name) => {
    const values = configs.map((config) => config[name] ?? null);
    const first = values[0] as Json;
    if (values.every((value) => isSameJson(value, first))) return [];
    return values.every(isObject) ? fieldsThatDiffer(values, `${prefix}${name}.`) : [prefix + name];
  });
}

const isObject = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function valueAt(config: JsonObject, name: string): Json {
  return name
    .split('.')
    .reduce<Json>((value, part) => (isObject(value) ? (value[part] ?? null) : null), config);
}
