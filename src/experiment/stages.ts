/** Which stages a run has: what enters each one's config and inputs, and so its key. */
import { canonicalJson, contentKey } from './keys.ts';
import type { Json, Run, StageName, StageNode } from './types.ts';

/** Raised when a stage's code changes its result, so that artefacts of older code are not taken for its own. */
export const stageVersions: Record<StageName, number> = {
  dataset: 1,
  zoo: 1,
  sane: 1,
  'property-prediction': 1,
};

/** Models that one job of a divided zoo trains, about. */
const modelsPerPart = 10;

const json = (value: object) => value as { [key: string]: Json };

/** Makes stage nodes and hands out the same one for the same work. */
export class StageBuilder {
  private readonly byContent = new Map<string, StageNode>();

  /** All stages made so far, inputs before their readers. */
  get stages(): StageNode[] {
    return [...this.byContent.values()];
  }

  private node(
    stage: StageName,
    label: string,
    config: object,
    inputs: Record<string, string>,
    parts = 1,
  ): StageNode {
    const content = `${stage} ${canonicalJson({ config: json(config), inputs })}`;
    const known = this.byContent.get(content);
    if (known) return known;
    const identity = { stage, version: stageVersions[stage], config: json(config), inputs };
    const node = { ...identity, key: contentKey(identity), parts, label };
    this.byContent.set(content, node);
    return node;
  }

  /** The stage whose artefact is the run's result, after those it depends on. */
  resultOf(run: Omit<Run, 'id' | 'resultKey' | 'scaled'>): StageNode {
    const { architecture, dataset, seed, settings } = run;
    const { data, zoo, sane, property_prediction: prediction } = settings;
    const images = this.node('dataset', `dataset ${dataset}`, { dataset, ...data }, {});
    const variants = Object.values(zoo.vary).reduce(
      (product, values) => product * (values as unknown[]).length,
      1,
    );
    const population = this.node(
      'zoo',
      `zoo ${architecture}/${dataset}`,
      { architecture, ...zoo },
      { dataset: images.key },
      Math.ceil((zoo.models * variants) / modelsPerPart),
    );
    const inputs: Record<string, string> = { zoo: population.key };
    if (prediction.features.some((feature) => feature.startsWith('sane'))) {
      const label = `sane ${architecture}/${dataset} seed ${seed}`;
      inputs.sane = this.node('sane', label, { ...sane, seed }, { zoo: population.key }).key;
    }
    const { token_size, standardization } = sane;
    return this.node(
      'property-prediction',
      `property-prediction ${architecture}/${dataset} seed ${seed}`,
      { ...prediction, token_size, standardization },
      inputs,
    );
  }
}
