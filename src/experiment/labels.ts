/** Labels that distinguish the stages of a plan. */
import { isObject, isSameJson, type Json, type JsonObject } from '../base/json.ts';
import { asText } from './grid.ts';
import type { StageNode } from './types.ts';

type Path = readonly string[];

/** Longer values are cut: a label is one line. */
const longest = 24;

const shorten = (text: string) => (text.length <= longest ? text : `${text.slice(0, longest - 1)}…`);

/**
 * Adds to equal labels what differs among their stages: `sane cnn-small/glyphs seed 0 d_model=64`. What a stage reads is
 * distinguished first, and then distinguishes it, too. Inputs stand before their readers.
 */
export function tellApart(stages: readonly StageNode[]): void {
  const differing = new Map<string, readonly Path[]>();
  for (const [label, group] of Map.groupBy(stages, ({ label }) => label))
    if (group.length > 1) differing.set(label, pathsThatDiffer(group.map(({ config }) => config)));
  const assignment = assignments();
  /** What distinguishes a stage, by key. */
  const marks = new Map<string, readonly string[]>();
  for (const node of stages) {
    const paths = differing.get(node.label);
    if (!paths) continue;
    const found = Object.values(node.inputs).flatMap((key) => {
      const ofInput = marks.get(key);
      return ofInput ? [ofInput] : [];
    });
    if (paths.length > 0)
      found.push(paths.map((path) => assignment(path.join('.'), valueAt(node.config, path))));
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

/** Where what differs lies: names of fields, and within objects of theirs. */
function pathsThatDiffer(configs: readonly JsonObject[]): Path[] {
  const names = new Set<string>();
  for (const config of configs) for (const name in config) names.add(name);
  return [...names].flatMap((name): Path[] => {
    const values = configs.map((config) => config[name] ?? null);
    const first = values[0] as Json;
    if (values.every((value) => isSameJson(value, first))) return [];
    const within = values.every((value) => isObject(value)) ? pathsThatDiffer(values) : [];
    return within.length > 0 ? within.map((path) => [name, ...path]) : [[name]];
  });
}

const valueAt = (config: JsonObject, path: Path): Json =>
  path.reduce<Json>((value, name) => (isObject(value) ? (value[name] ?? null) : null), config);
