/** How a person names a run. */
import { asText } from './grid.ts';
import type { Plan, Run, StageNode } from './types.ts';

/** Fewer characters of a key are too easily a word. */
const shortestKey = 4;

/** The axis that a name means: its own, or the only setting of that name. */
function axisOf({ axes }: Run, name: string): string | undefined {
  if (name in axes) return name;
  const settings = Object.keys(axes).filter((axis) => axis.endsWith(`.${name}`));
  return settings.length === 1 ? settings[0] : undefined;
}

/**
 * The runs that a text names: `seed=0,sane.gamma=0` in any order, as few of the axes as distinguish the run from others, settings without their block;
 * or the first characters of the key of its result.
 */
export function runsNamed<Of extends Run>(text: string, runs: readonly Of[]): Of[] {
  const exact = runs.filter(({ id }) => id === text);
  if (exact.length > 0) return exact;
  if (text.length >= shortestKey && /^[0-9a-f]+$/.test(text))
    return runs.filter(({ resultKey }) => resultKey.startsWith(text));
  // A list as a value has commas, too.
  const wanted = text
    .split(/,(?=[\w.-]+=)/)
    .map((part) => [...part.split('=', 1), part.replace(/^[^=]*=?/, '')]);
  if (!text.includes('=')) return [];
  return runs.filter((run) =>
    wanted.every(([name, value]) => {
      const axis = axisOf(run, name as string);
      return axis !== undefined && asText(run.axes[axis]) === value;
    }),
  );
}

/** The shortest beginning of each key, of equal length, that no other key has. */
export function shortKeys(keys: readonly string[], least = 6): (key: string) => string {
  const sorted = [...new Set(keys)].sort();
  let length = least;
  for (let i = 1; i < sorted.length; i++) {
    const [a, b] = [sorted[i - 1] as string, sorted[i] as string];
    while (length < a.length && a.slice(0, length) === b.slice(0, length)) length++;
  }
  return (key) => key.slice(0, length);
}

/** The stages that a run's result depends on, inputs first. */
export function stagesByRun({ stages }: Pick<Plan, 'stages'>): (run: Pick<Run, 'resultKey'>) => StageNode[] {
  const nodes = new Map(stages.map((node) => [node.key, node]));
  return ({ resultKey }) => {
    const found = new Map<string, StageNode>();
    const add = (key: string) => {
      const node = nodes.get(key);
      if (!node || found.has(key)) return;
      for (const input of Object.values(node.inputs)) add(input);
      found.set(key, node);
    };
    add(resultKey);
    return [...found.values()];
  };
}
