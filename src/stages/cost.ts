/** Roughly how much stages compute and keep, from their configs alone. */
import type { Json, JsonObject } from '../base/json.ts';
import { sizeOf } from '../base/shape.ts';
import { datasets } from '../data/registry.ts';
import type { Planned } from '../experiment/stage-plan.ts';
import type { Architecture, ImageSize } from '../nets/architecture.ts';
import { getArchitecture } from '../nets/registry.ts';
import type { WrittenArchitecture } from '../nets/written.ts';
import { encoderOperations, pretrainingOperations, trainingOperations } from './operations.ts';
import { population } from './work.ts';

/** Images of a data set that is taken whole, as most have them: of training. */
const wholeDataset = 50_000;

/** Thousands of stages may read one zoo. */
const built = new WeakMap<JsonObject, Architecture | undefined>();

/** The networks of a zoo's config, for the images of that data set; undefined where no layers are known. */
export function networkOf(config: JsonObject, images: JsonObject | undefined): Architecture | undefined {
  if (!built.has(config)) built.set(config, buildNetwork(config, images));
  return built.get(config);
}

function buildNetwork(config: JsonObject, images: JsonObject | undefined): Architecture | undefined {
  const dataset = datasets[(images?.dataset ?? config.dataset) as string];
  if (!dataset) return undefined;
  const [height, width, channels] = dataset.shape;
  const side = (images?.resize ?? images?.crop) as number | null | undefined;
  const input: ImageSize = [side ?? height, side ?? width, images?.grey ? 1 : channels];
  const written = config.written as unknown as WrittenArchitecture | undefined;
  try {
    return getArchitecture(config.architecture as string, {
      ...{ input, classes: dataset.classes, width: (config.width ?? null) as number | null },
      ...(written && { written }),
    });
  } catch {
    return undefined;
  }
}

/** Operations of an epoch of one network's training. */
export const epochOperations = (network: Architecture, images: JsonObject | undefined): number =>
  trainingOperations(network, (images?.train_images ?? wholeDataset) as number);

/** Bytes of one network's weights as float32. */
export const networkBytes = ({ state }: Pick<Architecture, 'state'>): number =>
  state.reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0);

type Shape = Parameters<typeof pretrainingOperations>[0];

/** Tokens of a network: rows of its weights, with their biases, cut to the size of a token. */
const tokensOf = ({ state }: Pick<Architecture, 'state'>, size: number): number =>
  state
    .filter(({ shape }) => shape.length > 1)
    .reduce((sum, { shape: [rows = 1, ...row] }) => sum + rows * Math.ceil((sizeOf(row) + 1) / size), 0);

/** Operations of the pretraining that a config of stage `sane` says: two views of each window of the training models. */
export function operationsOfPretraining(config: JsonObject, zoo: Planned): number {
  const { split } = zoo.config;
  const train =
    ((split as number[] | undefined)?.[0] ?? 1) * population(zoo.config, config.checkpoints).samples;
  const windows = train * (config.windows_per_sample as number) * (config.epochs as number);
  return windows * pretrainingOperations(config as unknown as Shape, 2);
}

/** Operations of embedding checkpoints of the zoo's models whole. */
export function embedding(sane: JsonObject, zoo: Planned, checkpoints: Json | undefined): number {
  const network = networkOf(zoo.config, zoo.input('dataset')?.config);
  const { token_size, window } = sane as { token_size: number; window: number };
  const windows = network ? Math.ceil(tokensOf(network, token_size) / window) : 1;
  return population(zoo.config, checkpoints).samples * encoderOperations(sane as unknown as Shape, windows);
}
