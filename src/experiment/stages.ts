/** Which stages a run has: what enters each one's config and inputs, and so its key. */
import { canonicalJson, contentKey } from './keys.ts';
import type { Json, Run, Settings, StageName, StageNode } from './types.ts';

/** Raised when a stage's code changes its result, so that artefacts of older code are not taken for its own. */
export const stageVersions: Record<StageName, number> = {
  dataset: 1,
  zoo: 2,
  sane: 2,
  'property-prediction': 1,
  generation: 1,
};

/** Models that one job of a divided zoo trains, at most: two groups of the models that fill a vector with AVX-512. */
const modelsPerPart = 32;

const json = (value: object) => value as { [key: string]: Json };

/** What the stages of a run depend on. */
type Planned = Omit<Run, 'id' | 'resultKey' | 'scaled'>;

/** Makes stage nodes and hands out the same one for the same work. */
export class StageBuilder {
  private readonly byContent = new Map<string, StageNode>();
  private readonly zoos = new WeakMap<Settings, StageNode>();

  /** All stages made so far, inputs before their readers. */
  get stages(): StageNode[] {
    return [...this.byContent.values()];
  }

  private node(
    stage: StageName,
    label: string,
    config: object,
    inputs: Record<string, string>,
    { parts = 1, options = {} }: Partial<Pick<StageNode, 'parts' | 'options'>> = {},
  ): StageNode {
    const content = `${stage} ${canonicalJson(json(config))} ${Object.values(inputs).join(' ')}`;
    const known = this.byContent.get(content);
    if (known) return known;
    const identity = { stage, version: stageVersions[stage], config: json(config), inputs };
    const node = { ...identity, key: contentKey(identity), parts, options, label };
    this.byContent.set(content, node);
    return node;
  }

  /** The stage of a run's zoo, after that of its images. Runs of one condition share one settings object, and so this. */
  private zooOf({
    architecture,
    dataset,
    settings,
  }: Pick<Run, 'architecture' | 'dataset' | 'settings'>): StageNode {
    const known = this.zoos.get(settings);
    if (known) return known;
    const { data, zoo } = settings;
    const { lockstep, ...trained } = zoo;
    const images = this.node('dataset', `dataset ${dataset}`, { dataset, ...data }, {});
    const variants = Object.values(zoo.vary).reduce(
      (product, values) => product * (values as unknown[]).length,
      1,
    );
    const node = this.node(
      'zoo',
      `zoo ${architecture}/${dataset}`,
      { architecture, ...trained },
      { dataset: images.key },
      { parts: Math.ceil((zoo.models * variants) / (lockstep ?? modelsPerPart)), options: { lockstep } },
    );
    this.zoos.set(settings, node);
    return node;
  }

  /** The stage of a run's SANE, after that of its zoo. */
  private saneOf({ architecture, dataset, seed, settings }: Planned, zoo: StageNode): StageNode {
    const label = `sane ${architecture}/${dataset} seed ${seed}`;
    return this.node('sane', label, { ...settings.sane, seed }, { zoo: zoo.key });
  }

  /** The stage whose artefact is the run's result, after those it depends on. */
  resultOf(run: Planned): StageNode {
    switch (run.task) {
      case 'property-prediction':
        return this.propertyPredictionOf(run);
      case 'generation':
        return this.generationOf(run);
    }
  }

  private propertyPredictionOf(run: Planned): StageNode {
    const { architecture, dataset, seed, settings } = run;
    const { sane, property_prediction: prediction } = settings;
    const population = this.zooOf(run);
    const inputs: Record<string, string> = { zoo: population.key };
    if (prediction.features.some((feature) => feature.startsWith('sane'))) {
      inputs.sane = this.saneOf(run, population).key;
    }
    const { token_size, batch_norm_tokens, standardization } = sane;
    return this.node(
      'property-prediction',
      `property-prediction ${architecture}/${dataset} seed ${seed}`,
      { ...prediction, token_size, batch_norm_tokens, standardization },
      inputs,
    );
  }

  private generationOf(run: Planned): StageNode {
    const { architecture, dataset, seed, settings } = run;
    const zoo = this.zooOf(run);
    const inputs = { dataset: zoo.inputs.dataset as string, zoo: zoo.key, sane: this.saneOf(run, zoo).key };
    const label = `generation ${architecture}/${dataset} seed ${seed}`;
    return this.node('generation', label, { ...settings.generation, recipe: zoo.config, seed }, inputs);
  }
}
