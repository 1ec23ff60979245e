/** Which stages a run has: what enters each one's config and inputs, and so its key. */
import { canonicalJson, contentKey } from './keys.ts';
import type { Folder, Json, Run, Settings, StageName, StageNode } from './types.ts';

/** Raised when a stage's code changes its result, so that artefacts of older code are not taken for its own. */
export const stageVersions: Record<StageName, number> = {
  dataset: 1,
  zoo: 2,
  'zoo-import': 1,
  sane: 2,
  'property-prediction': 1,
  generation: 1,
};

/** Models that one job of a divided zoo trains, at most: two groups of the models that fill a vector with AVX-512. */
const modelsPerPart = 32;

const json = (value: object) => value as { [key: string]: Json };

/** What the stages of a run depend on. */
type Planned = Omit<Run, 'id' | 'resultKey' | 'scaled'>;

/** How the models of a run's zoo are trained, and those that are made from it. */
function recipeOf({ architecture, settings }: Planned): object {
  const { lockstep: _, import: __, ...trained } = settings.zoo;
  return { architecture, ...trained };
}

/** Makes stage nodes and hands out the same one for the same work. */
export class StageBuilder {
  private readonly byContent = new Map<string, StageNode>();
  private readonly zoos = new WeakMap<Settings, StageNode>();

  /** `folder` gives what is in the folder of an imported zoo. */
  constructor(
    private readonly folder: (path: string) => Folder = (path) => {
      throw new Error(`what is in ${path} is not known`);
    },
  ) {}

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

  /** The stage of a run's images. */
  private datasetOf({ dataset, settings }: Planned): StageNode {
    return this.node('dataset', `dataset ${dataset}`, { dataset, ...settings.data }, {});
  }

  /** The stage of a run's zoo, after that of its images. Runs of one condition share one settings object, and so this. */
  private zooOf(run: Planned): StageNode {
    const { settings } = run;
    const known = this.zoos.get(settings);
    if (known) return known;
    const { zoo } = settings;
    const node = zoo.import === null ? this.trainedZoo(run) : this.importedZoo(run, zoo.import);
    this.zoos.set(settings, node);
    return node;
  }

  private trainedZoo(run: Planned): StageNode {
    const { architecture, dataset, settings } = run;
    const { lockstep, models, vary } = settings.zoo;
    const variants = Object.values(vary).reduce(
      (product, values) => product * (values as unknown[]).length,
      1,
    );
    return this.node(
      'zoo',
      `zoo ${architecture}/${dataset}`,
      recipeOf(run),
      { dataset: this.datasetOf(run).key },
      {
        parts: Math.ceil((models * variants) / (lockstep ?? modelsPerPart)),
        options: { lockstep },
      },
    );
  }

  /** The stage that converts the zoo in a folder. What is in the folder counts, not where it is. */
  private importedZoo({ architecture, dataset, settings }: Planned, path: string): StageNode {
    const { models, seed, checkpoints, split, ...rest } = settings.zoo;
    const { optimizer, learning_rate, weight_decay, dropout, activation, init } = rest;
    const assumed = { optimizer, learning_rate, weight_decay, dropout, activation, init };
    const { path: folder, fingerprint } = this.folder(path);
    const config = {
      architecture,
      dataset,
      fingerprint,
      models,
      vary: {},
      seed,
      checkpoints,
      split,
      assumed,
    };
    return this.node(
      'zoo-import',
      `zoo ${architecture}/${dataset}, imported`,
      config,
      {},
      { options: { folder } },
    );
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
    const inputs = { dataset: this.datasetOf(run).key, zoo: zoo.key, sane: this.saneOf(run, zoo).key };
    const label = `generation ${architecture}/${dataset} seed ${seed}`;
    return this.node('generation', label, { ...settings.generation, recipe: recipeOf(run), seed }, inputs);
  }
}
