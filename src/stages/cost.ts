/** Roughly how much stages compute and keep, from their configs alone. */
import type { Json, JsonObject } from '../base/json.ts';
import { sizeOf } from '../base/shape.ts';
import { datasets } from '../data/registry.ts';
import type { Cost, Planned } from '../experiment/stage-plan.ts';
import type { Architecture, ImageSize } from '../nets/architecture.ts';
import { getArchitecture } from '../nets/registry.ts';
import type { WrittenArchitecture } from '../nets/written.ts';
import { imageCounts, imagesOf, preparedShape } from './dataset/plan.ts';
import {
  alignmentOperations,
  encoderOperations,
  pretrainingOperations,
  probeOperations,
  trainingOperations,
} from './operations.ts';
import { population } from './work.ts';

/** Thousands of stages may read one zoo. */
const built = new WeakMap<JsonObject, Architecture | undefined>();

/** The networks of a zoo's config, for the images of that stage `dataset`; undefined where no layers are known. */
export function networkOf(config: JsonObject, images: Planned | undefined): Architecture | undefined {
  if (!built.has(config)) built.set(config, buildNetwork(config, images));
  return built.get(config);
}

function buildNetwork(config: JsonObject, images: Planned | undefined): Architecture | undefined {
  const dataset = images ? imagesOf(images) : datasets[config.dataset as string];
  if (!dataset) return undefined;
  const input: ImageSize = preparedShape(dataset, images?.config ?? {});
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

/** Operations of an epoch of one network's training on the images of that stage `dataset`. */
export const epochOperations = (network: Architecture, images: Planned | undefined): number =>
  trainingOperations(network, imageCounts(images).train);

/**
 * Operations of measuring how new networks are: all are run on images, and each is matched with training networks, as a hundred of these are with
 * one another.
 */
export function noveltyOperations(
  network: Architecture,
  { novelty_images: images, novelty_matches: matches }: JsonObject,
  { trained, made }: { trained: number; made: number },
): number {
  if (!images) return 0;
  const each = Math.min((matches ?? trained) as number, trained);
  const matched = (Math.min(trained, 100) + made) * (each + 1) * alignmentOperations(network);
  return matched + ((trained + made) * trainingOperations(network, images as number)) / 3;
}

/** Of method flow: the products of pairs of prompts, and the training of its network, which sees the time as 64 numbers beside the components. */
export function flowOperations(network: Architecture, config: JsonObject, prompts: number): number {
  const [width, layers, steps, rows] = ['width', 'layers', 'steps', 'batch_size'].map(
    (name) => config[name],
  ) as [number, number, number, number];
  const size = (config.components as number | null) ?? Math.max(0, prompts - 1);
  const weights = (size + 64) * width + (layers - 1) * width ** 2 + width * size;
  return (prompts ** 2 * networkBytes(network)) / 4 + 6 * weights * rows * steps;
}

/** Bytes of one network's weights as float32. */
export const networkBytes = ({ state }: Pick<Architecture, 'state'>): number =>
  state.reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0);

type Shape = Parameters<typeof pretrainingOperations>[0];

const counted = new WeakMap<object, Map<number, number>>();

/**
 * Tokens of a network: rows of its weights, with their biases, cut to the size of a token; batch normalisation has none. As many as its layout
 * has, which planning does not compute. Counted once for each network and size.
 */
export function tokensOf({ state, buffers }: Pick<Architecture, 'state' | 'buffers'>, size: number): number {
  const known = counted.get(state) ?? new Map<number, number>();
  counted.set(state, known);
  const before = known.get(size);
  if (before !== undefined) return before;
  const names = new Set(state.map(({ name }) => name));
  const moduleOf = (name: string) => name.slice(0, name.lastIndexOf('.'));
  const norms = new Set(buffers.map(({ name }) => moduleOf(name)));
  const weights = state.filter(({ name }) => name.endsWith('weight') && !norms.has(moduleOf(name)));
  const tokens = weights.reduce((sum, { name, shape: [rows = 1, ...row] }) => {
    const bias = names.has(name.replace(/weight$/, 'bias')) ? 1 : 0;
    return sum + rows * Math.max(1, Math.ceil((sizeOf(row) + bias) / size));
  }, 0);
  known.set(size, tokens);
  return tokens;
}

/** Names of zoos among inputs; as many as were asked for. */
const zooNames = ['zoo'];

/** The zoos among a stage's inputs: `zoo`, `zoo-2` and so on. */
export function zoosAmong(input: Planned['input']): Planned[] {
  const zoos: Planned[] = [];
  for (let i = 0; ; i++) {
    const name = zooNames[i] ?? `zoo-${i + 1}`;
    zooNames[i] = name;
    const zoo = input(name);
    if (!zoo) return zoos;
    zoos.push(zoo);
  }
}

/** The share of a zoo's models that is for training, or for tests. */
const shareOf = ({ config }: Planned, split: 0 | 2): number =>
  (config.split as number[] | undefined)?.[split] ?? 1;

const samplesOf = ({ config }: Planned, checkpoints: Json | undefined): number =>
  population(config, checkpoints).samples;

/** The networks of a zoo; undefined where their layers are not known. */
export const networkOfZoo = (zoo: Planned): Architecture | undefined =>
  networkOf(zoo.config, zoo.input('dataset'));

/** Operations of the pretraining on these zoos that a config of stage `sane` says: two views of each window of the training models. */
export function operationsOfPretraining(config: JsonObject, zoos: readonly Planned[]): number {
  const train = zoos.reduce((sum, zoo) => sum + shareOf(zoo, 0) * samplesOf(zoo, config.checkpoints), 0);
  const windows = train * (config.windows_per_sample as number) * (config.epochs as number);
  const [zoo] = zoos;
  const network = config.queries !== undefined && zoo ? networkOfZoo(zoo) : undefined;
  // The behaviour loss: of each view the network forward, and the decoded one forward and backward.
  const asked = network ? 2 * (4 / 3) * trainingOperations(network, config.queries as number) : 0;
  return windows * (pretrainingOperations(config as unknown as Shape, 2) + asked);
}

/** The same of the hyper-representation, whose windows are whole networks and whose tokens are rows of weights. */
export function operationsOfBaseline(config: JsonObject, zoo: Planned): number | undefined {
  const network = networkOfZoo(zoo);
  if (!network) return undefined;
  const tokens = tokensOf(network, Number.POSITIVE_INFINITY);
  const shape = { ...config, window: tokens, token_size: networkBytes(network) / 4 / tokens };
  const networks = shareOf(zoo, 0) * samplesOf(zoo, config.checkpoints) * (config.epochs as number);
  return networks * pretrainingOperations(shape as unknown as Shape, 2);
}

/** Operations of SANE's encoder on one network, in windows or at once; undefined where its layers are not known. */
export function embedding(sane: JsonObject, zoo: Planned, how?: Json): number | undefined {
  const network = networkOfZoo(zoo);
  if (!network) return undefined;
  const { token_size, d_model, latent_dim, layers, window: own } = sane as unknown as Shape;
  const tokens = tokensOf(network, token_size);
  const window = how === 'sequence' ? tokens : own;
  const shape = { token_size, d_model, latent_dim, layers, window };
  return encoderOperations(shape, Math.ceil(tokens / window));
}

/** The same of checkpoints of a zoo's models, all or those of the test models. */
export function embeddings(
  sane: JsonObject,
  zoo: Planned,
  checkpoints: Json | undefined,
  which: 'all' | 'test' = 'all',
  how?: Json,
): number | undefined {
  const one = embedding(sane, zoo, how);
  return one && one * samplesOf(zoo, checkpoints) * (which === 'test' ? shareOf(zoo, 2) : 1);
}

/** How many numbers a feature of property prediction has. */
function featureWidth(feature: string, network: Architecture, sane: JsonObject | undefined): number {
  const { token_size = 1, latent_dim = 0 } = (sane ?? {}) as { token_size?: number; latent_dim?: number };
  const weights = () => network.state.filter(({ shape }) => shape.length > 1);
  switch (feature) {
    case 'weights':
      return networkBytes({ state: weights() }) / 4;
    case 'statistics':
      return 7 * weights().length;
    case 'sane':
    case 'untrained':
      return latent_dim;
    case 'sane-sequence':
      return tokensOf(network, token_size) * latent_dim;
    default:
      return 0;
  }
}

/** Operations of the probes of features on a zoo, by a config of stage `property-prediction` or `baseline-probes`. */
export function operationsOfProbes(
  features: readonly string[],
  config: JsonObject,
  sane: JsonObject | undefined,
  zoo: Planned,
): number | undefined {
  const network = networkOfZoo(zoo);
  if (!network) return undefined;
  const rows = shareOf(zoo, 0) * samplesOf(zoo, config.checkpoints);
  const solutions = (config.targets as Json[]).length * (config.ridge_strengths as Json[]).length;
  return features.reduce(
    (sum, name) => sum + probeOperations(rows, featureWidth(name, network, sane), solutions),
    0,
  );
}

/** What adds up; undefined where a part is not known. */
export const total = (parts: readonly (number | undefined)[]): number | undefined =>
  parts.reduce(
    (sum, part) => (sum === undefined || part === undefined ? undefined : sum + part),
    0 as number | undefined,
  );

/** A cost of operations that may not be known. */
export const costOf = (operations: number | undefined, bytes = 0): Cost | undefined =>
  operations === undefined ? undefined : { operations, bytes };

/** Numbers of an encoder and a decoder of 12 d^2 weights a layer. */
const stacks = ({ d_model, layers }: Pick<Shape, 'd_model' | 'layers'>): number =>
  2 * layers * 12 * d_model ** 2;

/** Bytes of SANE's weights: the stacks, the maps of tokens and embeddings, the tables of positions, and the head that sees a whole window. */
export function saneBytes(config: JsonObject, zoos: readonly Planned[]): number {
  const shape = config as unknown as Shape;
  const { token_size, d_model, latent_dim, projection_dim: head } = shape;
  const tokens = Math.max(
    ...zoos.map((zoo) => {
      const network = networkOfZoo(zoo);
      return network ? tokensOf(network, token_size) : shape.window;
    }),
  );
  const places = Math.max(tokens, total((config.positions ?? []) as number[]) ?? 0);
  const maps = 2 * d_model * (token_size + latent_dim) + (places * d_model) / 2;
  return 4 * (stacks(shape) + maps + head * (Math.min(shape.window, tokens) * latent_dim + head));
}

/** Bytes of the hyper-representation's weights: the stacks, and the maps of all tokens to one embedding and back. */
export function baselineBytes(config: JsonObject, zoo: Planned): number {
  const shape = config as unknown as Shape;
  const network = networkOfZoo(zoo);
  const tokens = network ? tokensOf(network, Number.POSITIVE_INFINITY) : 0;
  return 4 * (stacks(shape) + 2 * tokens * shape.d_model * shape.latent_dim);
}
