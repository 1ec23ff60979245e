/** Every stage, in the order in which their settings stand in the schema. A new one is one folder and one line here. */
import { alignment } from './alignment/plan.ts';
import { analysis } from './analysis/plan.ts';
import { baselineProbes } from './baseline-probes/plan.ts';
import { dataset } from './dataset/plan.ts';
import { generation } from './generation/plan.ts';
import { hyperRepresentation } from './hyper-representation/plan.ts';
import { propertyPrediction } from './property-prediction/plan.ts';
import { reconstruction } from './reconstruction/plan.ts';
import { sane } from './sane/plan.ts';
import type { Stage } from './stage.ts';
import { zoo } from './zoo/plan.ts';
import { zooImport } from './zoo-import/plan.ts';

const all: readonly Stage[] = [
  dataset,
  zoo,
  zooImport,
  alignment,
  sane,
  hyperRepresentation,
  baselineProbes,
  propertyPrediction,
  generation,
  reconstruction,
  analysis,
];

/** By name. */
export const stages: Readonly<Record<string, Stage>> = Object.fromEntries(
  all.map((stage) => [stage.name, stage]),
);
