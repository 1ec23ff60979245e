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
  for (const [label, group] of Map.groupBy(equallyLabelled(stages), ({ label }) => label))
    differing.set(label, pathsAmong(group));
  const assignment = assignments();
  /** What distinguishes a stage, by key. */
  const marks = new Map<string, readonly string[]>();
  for (const node of stages) {
    const paths = differing.get(node.label);
    if (!paths) continue;
    // Of a hundred thousand stages most read one that is distinguished, or none.
    let all: readonly string[] = [];
    const add = (some: readonly string[]) => {
      all = all.length > 0 ? [...new Set([...all, ...some])] : some;
    };
    for (const name in node.inputs) {
      const ofInput = marks.get(node.inputs[name] as string);
      if (ofInput) add(ofInput);
    }
    if (paths.length > 0) add(paths.map((path) => assignment(path.join('.'), fieldOf(node, path))));
    if (all.length === 0) continue;
    marks.set(node.key, all);
    node.label = [node.label, ...all].join(' ');
  }
}

/** The stages whose labels others have, too. */
function equallyLabelled(stages: readonly StageNode[]): StageNode[] {
  const labels = new Set<string>();
  const repeated = new Set<string>();
  for (const { label } of stages) (labels.has(label) ? repeated : labels).add(label);
  return stages.filter(({ label }) => repeated.has(label));
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

const seedPath: Path = ['seed'];

/** Where the configs of stages differ, or their seeds. */
function pathsAmong(group: readonly StageNode[]): Path[] {
  const paths = pathsThatDiffer(group.map(({ config }) => config));
  return group.some(({ seed }) => seed !== group[0]?.seed) ? [...paths, seedPath] : paths;
}

const fieldOf = ({ config, seed }: StageNode, path: Path): Json =>
  path === seedPath ? (seed ?? null) : valueAt(config, path);

/** Where what differs lies: names of fields, and within objects of theirs. */
function pathsThatDiffer(configs: readonly JsonObject[]): Path[] {
  const names = new Set<string>();
  for (const config of configs) for (const name in config) names.add(name);
  return [...names].flatMap((name): Path[] => {
    const valueIn = (config: JsonObject): Json => config[name] ?? null;
    const first = valueIn(configs[0] as JsonObject);
    if (configs.every((config) => isSameJson(valueIn(config), first))) return [];
    const values = configs.map(valueIn);
    const within = values.every((value) => isObject(value)) ? pathsThatDiffer(values) : [];
    return within.length > 0 ? within.map((path) => [name, ...path]) : [[name]];
  });
}

const valueAt = (config: JsonObject, path: Path): Json =>
  path.reduce<Json>((value, name) => (isObject(value) ? (value[name] ?? null) : null), config);
