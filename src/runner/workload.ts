/** How much work a stage is, so that its time can be estimated from the time of others. */
import type { Json, StageNode } from '../experiment/types.ts';

export interface Workload {
  /** Stages of one kind take time in proportion to their amount. */
  kind: string;
  amount: number;
}

type Config = StageNode['config'];

const pick = (config: Config, names: readonly string[]) => names.map((name) => config[name] ?? null);
const length = (value: Json | undefined) => (Array.isArray(value) ? value.length : 1);

/** Models of a zoo, and how many checkpoints of each a reader of `used` epochs reads. */
function population({ models, vary, checkpoints }: Config, used?: Json) {
  const variants = Object.values((vary ?? {}) as Record<string, Json>).reduce<number>(
    (n, list) => n * length(list),
    1,
  );
  const count = (models as number) * variants;
  return { models: count, samples: count * length(used ?? checkpoints) };
}

/** What the size of a zoo's networks depends on, beside their images. */
const networkSettings = ['architecture', 'width'] as const;

const saneSettings = [
  'token_size',
  'window',
  'd_model',
  'latent_dim',
  'layers',
  'heads',
  'batch_size',
] as const;

/**
 * Epochs of fine-tuning of all networks, and those that are decoded, conditioned and scored, each for a third of an epoch: a forward
 * pass without the way back.
 */
function generationAmount(config: Config): number {
  const [samples, candidates, rounds] = pick(config, ['samples', 'candidates', 'rounds']) as number[];
  const methods = config.methods as string[];
  const drawn = methods.reduce((sum, method) => {
    if (method === 'sub') return sum + (candidates as number);
    const chosen = method === 'boot' || method === 'gauss';
    return sum + (chosen ? (candidates as number) * (rounds as number) : (samples as number));
  }, 0);
  const trained = methods.length * (samples as number) * Math.max(...(config.epochs as number[]));
  return trained + drawn / 3;
}

/** The workload of a stage; `find` gives the stages that it reads by their keys. */
export function workload(node: StageNode, find: (key: string) => StageNode): Workload {
  const { stage, config, inputs } = node;
  const input = (name: string) => (inputs[name] ? find(inputs[name]).config : {});
  const describe = (settings: Json[], amount: number) => ({
    kind: `${stage} ${JSON.stringify(settings)}`,
    amount,
  });
  switch (stage) {
    case 'dataset':
      return describe(pick(config, ['dataset', 'train_images', 'test_images']), 1);
    case 'zoo': {
      const images = pick(input('dataset'), ['dataset', 'train_images', 'test_images']);
      const epochs = config.epochs as number;
      return describe(
        [...pick(config, [...networkSettings, 'batch_size']), ...images],
        population(config).models * epochs,
      );
    }
    case 'zoo-import':
      return describe(pick(config, ['architecture']), population(config).samples);
    case 'alignment': {
      const zoo = input('zoo');
      return describe(pick(zoo, networkSettings), population(zoo).models);
    }
    case 'sane': {
      const zoo = input('zoo');
      const windows = population(zoo, config.epochs_used).samples * (config.windows_per_sample as number);
      return describe(
        [...pick(config, saneSettings), ...pick(zoo, networkSettings)],
        windows * (config.epochs as number),
      );
    }
    case 'hyper-representation': {
      const zoo = input('zoo');
      const sizes = pick(config, ['d_model', 'latent_dim', 'layers', 'heads', 'batch_size']);
      const { samples } = population(zoo, config.epochs_used);
      return describe([...sizes, ...pick(zoo, networkSettings)], samples * (config.epochs as number));
    }
    case 'reconstruction': {
      const zoo = input('zoo');
      const settings = [...pick(config, saneSettings), ...pick(zoo, networkSettings)];
      return describe(settings, population(zoo, config.epochs_used).samples);
    }
    case 'generation': {
      const images = pick(input('dataset'), ['dataset', 'train_images', 'validation_images']);
      const network = pick(config.recipe as Config, [...networkSettings, 'batch_size']);
      const conditioning = pick(config, ['conditioning', 'conditioning_batch']);
      return describe([...network, ...images, ...conditioning], generationAmount(config));
    }
    case 'property-prediction': {
      const zoo = input('zoo');
      const settings = [...pick(config, ['features', 'token_size']), ...pick(input('sane'), saneSettings)];
      return describe(
        [...settings, ...pick(zoo, networkSettings)],
        population(zoo, config.epochs_used).samples,
      );
    }
  }
}
