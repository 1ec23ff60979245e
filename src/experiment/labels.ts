/** Labels that distinguish the stages of a plan. */
import { isSameJson } from '../base/json.ts';
import { asText } from './grid.ts';
import type { StageNode } from './types.ts';

/** Longer values are cut: a label is one line. */
const longest = 24;

const shorten = (text: string) => (text.length <= longest ? text : `${text.slice(0, longest - 1)}…`);

/**
 * The same stages, those of equal labels with what differs among them: `sane cnn-small/glyphs seed 0 d_model=64`. What a stage reads is
 * distinguished first, and then distinguishes it, too. Inputs stand before their readers.
 */
export function tellApart(stages: readonly StageNode[]): StageNode[] {
  const twins = Map.groupBy(stages, ({ label }) => label);
  const differing = new Map<string, string[]>();
  for (const [label, group] of twins) differing.set(label, group.length > 1 ? fieldsThatDiffer(group) : []);
  /** What distinguishes a stage, by key. */
  const marks = new Map<string, string[]>();
  return stages.map((node) => {
    const group = twins.get(node.label) ?? [];
    if (group.length < 2) return node;
    const fields = differing.get(node.label) ?? [];
    const own = fields.map((name) => `${name}=${shorten(asText(node.config[name]))}`);
    const fromInputs = Object.values(node.inputs).flatMap((key) => marks.get(key) ?? []);
    const all = [...new Set([...fromInputs, ...own])];
    marks.set(node.key, all);
    return { ...node, label: [node.label, ...all].join(' ') };
  });
}

function fieldsThatDiffer(group: readonly StageNode[]): string[] {
  const names = new Set<string>();
  for (const { config } of group) for (const name in config) names.add(name);
  return [...names].filter((name) => {
    const first = group[0]?.config[name] ?? null;
    return group.some(({ config }) => !isSameJson(config[name] ?? null, first));
  });
}
