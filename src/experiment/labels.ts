/** Labels that distinguish the stages of a plan. */
import { isSameJson, type Json } from '../base/json.ts';
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
    if (group.length > 1) differing.set(label, fieldsThatDiffer(group));
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
    if (fields.length > 0) found.push(fields.map((name) => assignment(name, node.config[name] ?? null)));
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

function fieldsThatDiffer(group: readonly StageNode[]): string[] {
  const names = new Set<string>();
  for (const { config } of group) for (const name in config) names.add(name);
  return [...names].filter((name) => {
    const first = group[0]?.config[name] ?? null;
    return group.some(({ config }) => !isSameJson(config[name] ?? null, first));
  });
}
