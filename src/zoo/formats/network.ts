/**
 * A network from a checkpoint: the one reader for import, embed, reconstruct and sample.
 *
 *     openNetwork(path, { key?, order? }) -> OpenNetwork    names and shapes; numbers are read when asked for
 *     readNetwork(path, { key?, order? }) -> Network        everything
 *
 * `shapes` are the tensors of layers (weights, biases, running means and variances; see nets/state-names.ts) in the network's order,
 * without prefixes of wrappers and training scripts, weight norm and pruning folded. The order is the file's, or where a file has none
 * (safetensors) that of `order`, else of the architecture that it is recognised as, else the natural order of names. Everything else in
 * the file is in `unused` with the reason; `scalars` are numbers beside the weights (epoch, accuracies). An architecture that is made of
 * tensors alone needs `shapes` and nothing else.
 */
import { FormatError } from '../../base/source.ts';
import type { StateDict } from '../../nets/architecture.ts';
import { recognise } from '../../nets/recognise.ts';
import { isCounter, isLayerTensor, moduleOf, partOf } from '../../nets/state-names.ts';
import { byName } from '../import/found.ts';
import { epochOf, tensorName } from '../zoo.ts';
import { type Checkpoint, openCheckpoint, type Unused } from './checkpoint.ts';
import { type Fold, findFolds } from './folds.ts';
import { withoutAttributes } from './wrappers.ts';
import type { StateTensor } from './write-torch.ts';

type Shapes = ReadonlyMap<string, readonly number[]>;

export interface NetworkOptions {
  /** The path of the state dict in the file, where there are several. */
  key?: string | undefined;
  /** Names of weights in their order, of the network that others are compared with: for files without an order of their own. */
  order?: readonly string[] | undefined;
}

export interface Network {
  path: string;
  shapes: Shapes;
  /** The numbers of these tensors. */
  weights: StateDict;
  /** Their names in the file; a folded weight has none. */
  fileNames: ReadonlyMap<string, string>;
  unused: readonly Unused[];
  /** The file's own tensors, by its names and in its order, with these weights in place of its own where they are given. */
  restore(weights: StateDict): StateTensor[];
}

/** Opens a network. Close it when done. Throws a FormatError naming the file, what is wrong and the remedy. */
export async function openNetwork(path: string, { key, order }: NetworkOptions = {}): Promise<OpenNetwork> {
  const checkpoint = await openCheckpoint(path, key);
  try {
    return new OpenNetwork(checkpoint, order);
  } catch (error) {
    await checkpoint.close();
    const { message } = error as Error;
    throw new FormatError(message.startsWith(path) ? message : `${path}: ${message}`);
  }
}

/** Reads a network whole; of a file with the checkpoints of a model of a zoo of this program, the last. Throws a FormatError. */
export async function readNetwork(path: string, options: NetworkOptions = {}): Promise<Network> {
  const network = await openNetwork(path, options);
  try {
    const { shapes, unused, fileNames } = network;
    const weights = await network.readAll();
    const restore = await network.restorer(weights);
    return { path, shapes, weights, unused, fileNames, restore };
  } finally {
    await network.close();
  }
}

/** What a tensor of a network is in the file: itself, or the parts of a fold. */
interface Layer {
  shape: readonly number[];
  from: string | Fold;
}

export class OpenNetwork {
  readonly shapes: Shapes;
  readonly unused: readonly Unused[];
  private readonly layers = new Map<string, Layer>();
  private readonly folds: readonly Fold[];
  /** How the names of the last epoch's tensors begin in a file of a zoo of this program; else ''. */
  private readonly prefix: string;
  /** Shapes by the file's names, without that. */
  private readonly stored: Shapes;

  constructor(
    private readonly checkpoint: Checkpoint,
    order?: readonly string[],
  ) {
    this.prefix = lastEpoch([...checkpoint.shapes.keys()]);
    this.stored = new Map(
      [...checkpoint.shapes]
        .filter(([name]) => name.startsWith(this.prefix))
        .map(([name, shape]) => [name.slice(this.prefix.length), shape]),
    );
    this.folds = findFolds(this.stored);
    const all = this.folded();
    const names = withoutAttributes(new Map(Array.from(all, ([name, { shape }]) => [name, shape])));
    const unused = [...checkpoint.beside];
    for (const [name, given] of names) {
      const layer = all.get(given) as Layer;
      const reason = this.whyUnused(name, layer);
      if (reason === undefined) this.layers.set(name, layer);
      else unused.push({ name, reason });
    }
    this.unused = unused;
    const shapes = new Map(Array.from(this.layers, ([name, { shape }]) => [name, shape]));
    this.shapes = checkpoint.ordered ? shapes : inOrder(shapes, order);
  }

  get path() {
    return this.checkpoint.path;
  }

  get fileNames(): Map<string, string> {
    return new Map(
      Array.from(this.layers).flatMap(([name, { from }]) => (typeof from === 'string' ? [[name, from]] : [])),
    );
  }

  /** The numbers of one tensor. Throws a FormatError that names file and tensor. */
  async read(name: string): Promise<Float32Array> {
    const from = this.layers.get(name)?.from;
    if (from === undefined) throw new FormatError(`${this.path}: no tensor ${name}`);
    if (typeof from === 'string') return this.readStored(from);
    const [first, second] = from.parts;
    return from.fold(await this.readStored(first), await this.readStored(second));
  }

  async readAll(): Promise<StateDict> {
    const weights: StateDict = new Map();
    for (const name of this.shapes.keys()) weights.set(name, await this.read(name));
    return weights;
  }

  /** Numbers that stand beside the weights. */
  scalars = () => this.checkpoint.scalars();
  close = () => this.checkpoint.close();

  /** Reads what else the file has, for `Network.restore`. `own`: what stands in place of weights that are not given. */
  async restorer(own: StateDict): Promise<Network['restore']> {
    const owners = new Map<string, string>();
    for (const [name, { from }] of this.layers)
      for (const part of typeof from === 'string' ? [from] : from.parts) owners.set(part, name);
    const rest = new Map<string, StateTensor['data']>();
    for (const name of this.stored.keys()) {
      const { kind } = this.kindOf(name);
      const isSecond = this.folds.some(({ parts }) => parts[1] === name);
      if (kind === 'unread' || (owners.has(name) && !isSecond)) continue;
      const data = await this.readStored(name);
      rest.set(name, kind === 'whole' ? BigInt64Array.from(data, (n) => BigInt(Math.trunc(n))) : data);
    }
    return (weights) =>
      [...this.stored].flatMap(([name, shape]): StateTensor[] => {
        const owner = owners.get(name);
        if (owner === undefined) {
          const data = rest.get(name);
          return data ? [{ name, shape, data }] : [];
        }
        const values = (weights.get(owner) ?? own.get(owner)) as Float32Array;
        const { from } = this.layers.get(owner) as Layer;
        if (typeof from === 'string') return [{ name, shape, data: values }];
        const [first, second] = from.parts;
        const parts = from.unfold(values, Float32Array.from(rest.get(second) as Float32Array));
        return [{ name, shape, data: parts[name === first ? 0 : 1] }];
      });
  }

  private readStored = (name: string) => this.checkpoint.read(this.prefix + name);
  private kindOf = (name: string) => this.checkpoint.kindOf(this.prefix + name);

  /** The file's tensors in its order, weights in parts where their first part is. */
  private folded(): Map<string, Layer> {
    const folds = new Map(this.folds.flatMap((fold) => fold.parts.map((part) => [part, fold] as const)));
    const all = new Map<string, Layer>();
    for (const [name, shape] of this.stored) {
      const fold = folds.get(name);
      if (!fold) all.set(name, { shape, from: name });
      else if (name === fold.parts[0]) all.set(fold.name, { shape: fold.shape, from: fold });
    }
    return all;
  }

  /** Why a tensor is none of the layers'; undefined of those. Throws a FormatError for a layer that cannot be read. */
  private whyUnused(name: string, { shape, from }: Layer): string | undefined {
    const found = typeof from === 'string' ? this.kindOf(from) : ({ kind: 'float' } as const);
    const isMatrix = shape.length > 1;
    if (isLayerTensor(name, shape)) {
      if (shape.includes(0))
        throw new FormatError(
          `${name} [${shape}] is empty: DeepSpeed's ZeRO stage 3 keeps weights in files of its own; join them with its zero_to_fp32.py first`,
        );
      if (found.kind === 'float') return undefined;
      const what = found.kind === 'unread' ? found.what : 'of whole numbers, as quantized weights are';
      if (isMatrix || found.kind === 'unread')
        throw new FormatError(
          `${name} is ${what}: such a weight is not read; save the network with float32 weights`,
        );
    }
    if (isCounter(name)) return 'a counter of batches';
    if (found.kind === 'unread') return `its numbers are ${found.what}, which is not read`;
    return found.kind === 'float' && (isMatrix || /weight|bias/.test(partOf(name)))
      ? 'no token holds it: its name ends in neither weight nor bias'
      : 'no part of a layer';
  }
}

/** How the names of the last epoch's tensors begin, where all names have epochs as in this program's zoos; else ''. */
function lastEpoch(names: readonly string[]): string {
  const epochs = names.map(epochOf);
  const known = epochs.filter((epoch) => epoch !== undefined);
  return known.length === epochs.length && known.length > 0
    ? tensorName(
        known.reduce((a, b) => Math.max(a, b)),
        '',
      )
    : '';
}

/** Parts of a module in PyTorch's order. */
const partOrder = ['weight', 'bias', 'running_mean', 'running_var'];

/** Tensors of a file without an order: see above. */
function inOrder(shapes: Shapes, reference: readonly string[] = []): Shapes {
  const rank = (name: string) =>
    partOrder.includes(partOf(name)) ? partOrder.indexOf(partOf(name)) : partOrder.length;
  const compare = (a: string, b: string) =>
    moduleOf(a) === moduleOf(b) ? rank(a) - rank(b) || byName(a, b) : byName(moduleOf(a), moduleOf(b));
  const natural = new Map([...shapes].sort(([a], [b]) => compare(a, b)));
  const given = reference.filter((name) => shapes.has(name));
  const known = given.length > 0 ? given : (recognise(natural)?.names.values() ?? []);
  return new Map(
    Array.from(new Set([...known, ...natural.keys()]), (name) => [
      name,
      shapes.get(name) as readonly number[],
    ]),
  );
}
