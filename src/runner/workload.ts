/** How much work a stage is, so that the time of one can be told from the time of others. */
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

const saneSettings = [
  'token_size',
  'window',
  'd_model',
  'latent_dim',
  'layers',
  'heads',
  'batch_size',
] as const;

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
        [...pick(config, ['architecture', 'batch_size']), ...images],
        population(config).models * epochs,
      );
    }
    case 'zoo-import':
      return describe(pick(config, ['architecture']), population(config).samples);
    case 'alignment': {
      const zoo = input('zoo');
      return describe(pick(zoo, ['architecture', 'width']), population(zoo).models);
    }
    case 'sane': {
      const zoo = input('zoo');
      const windows = population(zoo, config.epochs_used).samples * (config.windows_per_sample as number);
      return describe(
        [...pick(config, saneSettings), ...pick(zoo, ['architecture'])],
        windows * (config.epochs as number),
      );
    }
    case 'hyper-representation': {
      const zoo = input('zoo');
      const sizes = pick(config, ['d_model', 'latent_dim', 'layers', 'heads', 'batch_size']);
      const { samples } = population(zoo, config.epochs_used);
      return describe([...sizes, ...pick(zoo, ['architecture'])], samples * (config.epochs as number));
    }
    case 'reconstruction': {
      const zoo = input('zoo');
      const settings = [...pick(config, saneSettings), ...pick(zoo, ['architecture'])];
      return describe(settings, population(zoo, config.epochs_used).samples);
    }
    case 'generation': {
      const images = pick(input('dataset'), ['dataset', 'train_images']);
      const { methods, samples, epochs } = config;
      const training = length(methods) * (samples as number) * Math.max(...(epochs as number[]));
      return describe(
        [...pick(input('zoo'), ['architecture', 'batch_size']), ...images],
        Math.max(1, training),
      );
    }
    case 'property-prediction': {
      const zoo = input('zoo');
      const settings = [...pick(config, ['features', 'token_size']), ...pick(input('sane'), saneSettings)];
      return describe(
        [...settings, ...pick(zoo, ['architecture'])],
        population(zoo, config.epochs_used).samples,
      );
    }
  }
}
