/** A network from a checkpoint file, known to this program or not, as SANE's tokens want it. */

import { FormatError } from '../base/source.ts';
import type { Architecture, ParameterSpec, StateDict } from '../nets/architecture.ts';
import { recognise } from '../nets/recognise.ts';
import { openCheckpoint } from '../zoo/formats/checkpoint.ts';
import { epochOf, tensorName } from '../zoo/zoo.ts';

/** What tokens are made of. Of an unknown network nothing else is known. */
export type NetworkDescription = Pick<Architecture, 'name' | 'buffers' | 'state'>;

export interface Network {
  path: string;
  description: NetworkDescription;
  /** Shapes of all tensors in order: also of those that neither are parameters nor running values, such as batch norm's counters. */
  shapes: ReadonlyMap<string, readonly number[]>;
  /** The numbers of all tensors. */
  weights: StateDict;
}

/**
 * Reads a network; of a file with the checkpoints of a model of a zoo of this program, the last. Its tensors keep the file's order, which is that of PyTorch's modules; the format safetensors sorts them, so that for a
 * known architecture its own order is taken. `batchNorm`: whether batch norm becomes tokens too. Throws a FormatError if the file cannot be read or a weight is not finite.
 */
export async function readNetwork(path: string, batchNorm: boolean): Promise<Network> {
  const checkpoint = await openCheckpoint(path);
  try {
    const prefix = lastEpoch([...checkpoint.shapes.keys()]);
    const stored = new Map(
      [...checkpoint.shapes]
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, shape]) => [name.slice(prefix.length), shape]),
    );
    const known = checkpoint.ordered ? undefined : recognise(stored);
    const order = new Set([...(known?.names.values() ?? []), ...stored.keys()]);
    const shapes = new Map(Array.from(order, (name) => [name, stored.get(name) as readonly number[]]));
    const description = describe(shapes, path, batchNorm);
    const weights: StateDict = new Map();
    for (const name of shapes.keys()) {
      const values = await checkpoint.read(prefix + name);
      if (!values.every(Number.isFinite)) {
        throw new FormatError(`${path}: ${name} has numbers that are not finite: the network diverged`);
      }
      weights.set(name, values);
    }
    return { path, description, shapes, weights };
  } finally {
    await checkpoint.close();
  }
}

/** How the names of the last epoch's tensors begin, where all names have epochs as in this program's zoos; else ''. */
function lastEpoch(names: readonly string[]): string {
  const epochs = names.map(epochOf);
  return epochs.every((epoch) => epoch !== undefined) ? tensorName(Math.max(...epochs), '') : '';
}

/**
 * The state that becomes tokens, by the names and shapes of a network's tensors in order. Without `batchNorm` not what the released code
 * takes for batch norm by its name; what is batch norm by its running values, the layout of tokens leaves out itself.
 */
function describe(
  shapes: ReadonlyMap<string, readonly number[]>,
  path: string,
  batchNorm: boolean,
): NetworkDescription {
  const isBuffer = (name: string) => /running_(mean|var)$/.test(name);
  const named = (name: string) => /bn|batchnorm|downsample\.1/.test(name);
  // A scalar has no rows.
  const state = [...shapes]
    .filter(([name, shape]) => shape.length > 0 && (isBuffer(name) || /(weight|bias)$/.test(name)))
    .filter(([name]) => batchNorm || !named(name))
    .map(([name, shape]): ParameterSpec => ({ name, shape: [...shape] }));
  if (!state.some(({ name }) => name.endsWith('weight'))) {
    throw new FormatError(
      `${path}: no tensor's name ends in "weight": these are no layers that become tokens`,
    );
  }
  return { name: path, state, buffers: state.filter(({ name }) => isBuffer(name)) };
}
