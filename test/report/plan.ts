/** Plans for the tests of the tables: runs with the settings that the schema gives by default. */

import type { Json } from '../../src/base/json.ts';
import type { Difference, Plan, Run, Settings } from '../../src/experiment/types.ts';
import { defaults } from '../../src/stages/catalogue.ts';
import type { MetricRecord } from '../../src/stages/result.ts';

/** A run with the default settings but for those of `axes`, which can be dotted; its id is the axes'. */
export function makeRun(axes: Record<string, Json>, differences: Difference[] = []): Run {
  const settings = structuredClone(defaults);
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
    differences,
    resultKey: `key of ${id}`,
  };
}

export function makePlan(runs: Run[], tables: number[]): Plan {
  return {
    name: 'test',
    description: '',
    device: 'auto',
    launcher: {},
    tables,
    runs,
    stages: [],
    warnings: [],
  };
}

/** A test R² as the task property-prediction records it. */
export function r2(feature: string, target: string, value: number, split = 'test'): MetricRecord {
  return { metric: 'r2', labels: { feature, target, split }, value, seeded: feature.startsWith('sane') };
}

/** `zoo.models 60 (paper 1000)`, as data. */
export const difference = (setting: string, value: Json, paper: Json): Difference => ({
  setting,
  value,
  paper,
});
