/** Plans for the tests of the tables: runs with the settings that the schema gives by default. */

import schema from '../../schemas/experiment.schema.json';
import { blocks } from '../../src/experiment/schema.ts';
import type { Json, Plan, Run, Settings } from '../../src/experiment/types.ts';
import type { MetricRecord } from '../../src/stages/result.ts';

function defaultSettings(): Settings {
  const settings = blocks.map((block) => {
    const properties: Record<string, { default?: unknown }> = schema.$defs[block].properties;
    return [block, Object.fromEntries(Object.entries(properties).map(([name, p]) => [name, p.default]))];
  });
  return structuredClone(Object.fromEntries(settings)) as Settings;
}

/** A run with the default settings but for those of `axes`, which can be dotted; its id is the axes'. */
export function makeRun(axes: Record<string, Json>, scaled: string[] = []): Run {
  const settings = defaultSettings();
  for (const [name, value] of Object.entries(axes)) {
    const [block, key] = name.split('.');
    if (key) Object.assign(settings[block as keyof Settings], { [key]: value });
  }
  const { dataset = 'mnist', seed = 0 } = axes as { dataset?: Run['dataset']; seed?: number };
  const id = Object.entries(axes)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
  return {
    id,
    axes,
    architecture: 'cnn-small',
    dataset,
    task: 'property-prediction',
    seed,
    settings,
    scaled,
    resultKey: `key of ${id}`,
  };
}

export function makePlan(runs: Run[], tables: number[]): Plan {
  return { name: 'test', description: '', device: 'auto', tables, runs, stages: [] };
}

/** A test R² as the task property-prediction records it. */
export function r2(feature: string, target: string, value: number, split = 'test'): MetricRecord {
  return { metric: 'r2', labels: { feature, target, split }, value, seeded: feature.startsWith('sane') };
}
