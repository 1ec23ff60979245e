/** Which tensors of a network, known to this program or not, SANE's tokens are made of. */
import { FormatError } from '../base/source.ts';
import type { Architecture, ParameterSpec } from '../nets/architecture.ts';
import { batchNormModules, isRunning, moduleOf } from '../nets/state-names.ts';
import type { Network } from '../zoo/formats/network.ts';

/** What tokens are made of. Of an unknown network nothing else is known. */
export type NetworkDescription = Pick<Architecture, 'name' | 'buffers' | 'state'>;

/**
 * The state that becomes tokens; without `batchNorm` not what belongs to batch norm, which is known by its running values. Throws a
 * FormatError if nothing does, or if a number of it is not finite.
 */
export function describeTokens(
  { path, shapes, weights }: Pick<Network, 'path' | 'shapes' | 'weights'>,
  batchNorm: boolean,
): NetworkDescription {
  const norms = batchNormModules(shapes.keys());
  const state = [...shapes]
    .filter(([name]) => batchNorm || !norms.has(moduleOf(name)))
    .map(([name, shape]): ParameterSpec => ({ name, shape: [...shape] }));
  if (!state.some(({ name }) => name.endsWith('weight'))) {
    throw new FormatError(
      `${path}: no tensor's name ends in "weight": these are no layers that become tokens`,
    );
  }
  for (const { name } of state) {
    if (!weights.get(name)?.every(Number.isFinite))
      throw new FormatError(`${path}: ${name} has numbers that are not finite: the network diverged`);
  }
  return { name: path, state, buffers: state.filter(({ name }) => isRunning(name)) };
}
