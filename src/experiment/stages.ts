/** Which stages a run has: what enters each one's config and inputs, and so its key. */
import { canonicalJson, contentKey } from './keys.ts';
import { type Models, promptsOf } from './prompts.ts';
import { dataSettingsFor } from './resolve.ts';
import type { DataSettings, Dataset, Folder, Json, Run, Settings, StageName, StageNode } from './types.ts';

/** Raised when a stage's code changes its result, so that artefacts of older code are not taken for its own. */
export const stageVersions: Record<StageName, number> = {
  dataset: 1,
  zoo: 3,
  'zoo-import': 2,
  alignment: 1,
  sane: 3,
  'hyper-representation': 1,
  'property-prediction': 2,
  generation: 4,
  reconstruction: 1,
};

/** Models that one job of a divided zoo trains, at most: two groups of the models that fill a vector with AVX-512. */
const modelsPerPart = 32;

/** Models that one job of a divided alignment takes, at most: minutes for a ResNet-18, less than a second for a small CNN. */
const modelsPerAlignment = 128;

/** Models of a zoo, one for every seed and combination of what varies. */
const populationSize = ({ models, vary }: Settings['zoo']) =>
  Object.values(vary).reduce((product, values) => product * (values as unknown[]).length, models);

const json = (value: object) => value as { [key: string]: Json };

/** What the stages of a run depend on. */
type Planned = Omit<Run, 'id' | 'resultKey' | 'scaled'>;

/** How the models of a run's zoo are trained, and those that are made from it. */
function recipeOf({ architecture, settings }: Models): object {
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

  /**
   * The stage of a data set's images, with images to choose candidates by unless that is 0. What is done to images is in its config
   * only where something is.
   */
  private imagesOf(
    dataset: Dataset,
    { train_images, test_images, ...prepared }: DataSettings,
    validation: number | null = 0,
  ): StageNode {
    const done = Object.entries(prepared).filter(([, value]) => value !== null && value !== false);
    const config = { dataset, train_images, test_images, ...Object.fromEntries(done) };
    if (validation === 0) return this.node('dataset', `dataset ${dataset}`, config, {});
    const label = `dataset ${dataset} with validation images`;
    return this.node('dataset', label, { ...config, validation_images: validation }, {});
  }

  /** The stage of a run's zoo, after that of its images. Runs of one condition share one settings object, and so this. */
  private zooOf(run: Models): StageNode {
    const { settings } = run;
    const known = this.zoos.get(settings);
    if (known) return known;
    const { zoo } = settings;
    const node = zoo.import === null ? this.trainedZoo(run) : this.importedZoo(run, zoo.import);
    this.zoos.set(settings, node);
    return node;
  }

  private trainedZoo(run: Models): StageNode {
    const { architecture, dataset, settings } = run;
    const { lockstep } = settings.zoo;
    return this.node(
      'zoo',
      `zoo ${architecture}/${dataset}`,
      recipeOf(run),
      { dataset: this.imagesOf(dataset, settings.data).key },
      {
        parts: Math.ceil(populationSize(settings.zoo) / (lockstep ?? modelsPerPart)),
        options: { lockstep },
      },
    );
  }

  /** The stage that converts the zoo in a folder. What is in the folder counts, not where it is. */
  private importedZoo({ architecture, dataset, settings }: Models, path: string): StageNode {
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

  /** The run's zoo, and its alignment if the models are aligned, as inputs of all that reads models (Algorithms 1 and 2). */
  private modelsOf(run: Models): { zoo: string; alignment?: string } {
    const zoo = this.zooOf(run);
    if (!run.settings.sane.alignment) return { zoo: zoo.key };
    const { seed } = run.settings.zoo;
    const parts = Math.ceil(populationSize(run.settings.zoo) / modelsPerAlignment);
    const label = `alignment ${run.architecture}/${run.dataset}`;
    return {
      zoo: zoo.key,
      alignment: this.node('alignment', label, { seed }, { zoo: zoo.key }, { parts }).key,
    };
  }

  /** The stage of a run's SANE, after those of its models. */
  private saneOf(run: Planned): StageNode {
    const { architecture, dataset, seed, settings } = run;
    // Whether the models are aligned, the inputs say.
    const { alignment: _, ...sane } = settings.sane;
    const label = `sane ${architecture}/${dataset} seed ${seed}`;
    return this.node('sane', label, { ...sane, seed }, this.modelsOf(run));
  }

  /** The stage of a run's hyper-representation, after that of its zoo; the method of 2022 aligns no models. */
  private hyperRepresentationOf(run: Planned): StageNode {
    const { architecture, dataset, seed, settings } = run;
    const label = `hyper-representation ${architecture}/${dataset} seed ${seed}`;
    const config = { ...settings.hyper_representation, seed };
    return this.node('hyper-representation', label, config, { zoo: this.zooOf(run).key });
  }

  /** The stage whose artefact is the run's result, after those it depends on. */
  resultOf(run: Planned): StageNode {
    switch (run.task) {
      case 'property-prediction':
        return this.propertyPredictionOf(run);
      case 'generation':
        return this.generationOf(run);
      case 'reconstruction':
        return this.reconstructionOf(run);
    }
  }

  private propertyPredictionOf(run: Planned): StageNode {
    const { architecture, dataset, seed, settings } = run;
    const { sane, property_prediction: prediction } = settings;
    const inputs: Record<string, string> = { ...this.modelsOf(run) };
    if (prediction.features.some((feature) => feature.startsWith('sane'))) {
      inputs.sane = this.saneOf(run).key;
    }
    const { token_size, batch_norm_tokens, standardization } = sane;
    return this.node(
      'property-prediction',
      `property-prediction ${architecture}/${dataset} seed ${seed}`,
      { ...prediction, token_size, batch_norm_tokens, standardization },
      inputs,
    );
  }

  private reconstructionOf(run: Planned): StageNode {
    const { architecture, dataset, seed, settings } = run;
    const { alignment: _, ...sane } = settings.sane;
    const inputs = { ...this.modelsOf(run), sane: this.saneOf(run).key };
    return this.node(
      'reconstruction',
      `reconstruction ${architecture}/${dataset} seed ${seed}`,
      { ...sane, seed },
      inputs,
    );
  }

  private generationOf(run: Planned): StageNode {
    const { architecture, dataset, seed, settings } = run;
    const {
      target_dataset: target,
      prompt_zoo: other,
      validation_images: validation,
      ...generation
    } = settings.generation;
    const inputs: Record<string, string> = { ...this.modelsOf(run), sane: this.saneOf(run).key };
    const prompted = promptsOf(run);
    if (other) {
      const models = this.modelsOf(prompted);
      inputs.prompts = models.zoo;
      if (models.alignment) inputs.prompt_alignment = models.alignment;
    }
    const goal = { architecture: prompted.architecture, dataset: target ?? prompted.dataset };
    inputs.dataset = this.imagesOf(goal.dataset, dataSettingsFor(settings.data, run, goal), validation).key;
    if (settings.generation.methods.includes('hyper-representation')) {
      inputs['hyper-representation'] = this.hyperRepresentationOf(run).key;
    }
    const label = `generation ${architecture}/${dataset} seed ${seed}`;
    const { lockstep } = prompted.settings.zoo;
    const config = { ...generation, recipe: recipeOf(prompted), seed };
    return this.node('generation', label, config, inputs, { options: { lockstep } });
  }
}
