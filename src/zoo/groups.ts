/** Which models of a zoo are trained together. */

import { sizeOf } from '../base/shape.ts';
import type { Architecture, ParameterSpec } from '../nets/architecture.ts';
import { modelsAtOnce } from '../nets/population-models.ts';
import { numbersPerImage } from '../nets/shapes.ts';
import { type DeviceMemory, memoryOf } from '../tensor/devices/registry.ts';
import { tf } from '../tensor/tf.ts';
import type { Member, ZooConfig } from './members.ts';

/** More models at once are not faster on any device so far. */
const largestGroup = 64;

/** The share of the memory, without what layers put out, that a population may take. */
const memoryShare = 0.25;

/**
 * What the layers put out stays for the gradients, and these and what they are made of are as much again: 3 times of what is put out
 * was measured for ResNets, 3.5 times for a DenseNet.
 */
const outputsInTraining = 4;

/** Images of one forward pass when models are measured, at most. */
const measuredImages = 500;

/** Models of a group: as many as was asked for, or as memory has room for. */
export function groupSize(
  architecture: Architecture,
  config: Pick<ZooConfig, 'models_at_once' | 'batch_size' | 'checkpoints'>,
  { host, gpu }: DeviceMemory = memoryOf(tf.getBackend()),
): number {
  if (config.models_at_once !== null) return config.models_at_once;
  const atOnce = gpu === null ? 1 : Math.min(largestGroup, modelsAtOnce({ architecture }, config.batch_size));
  const { training, kept, outputs } = memoryNeeds(architecture, config, atOnce);
  const fit = (bytes: number, each: number) => Math.floor((memoryShare * bytes) / each);
  const models =
    gpu === null
      ? fit(host - outputs, training + kept)
      : Math.min(fit(gpu - outputs, training), fit(host, kept));
  return Math.max(1, Math.min(largestGroup, models));
}

/**
 * Bytes that a population takes, of which `atOnce` models compute at the same time: for each model of it `training` and, in the
 * machine's own memory, `kept`; once for all `outputs`.
 */
export function memoryNeeds(
  architecture: Architecture,
  { batch_size, checkpoints }: Pick<ZooConfig, 'batch_size' | 'checkpoints'>,
  atOnce: number,
): { training: number; kept: number; outputs: number } {
  const { parameters, state } = architecture;
  const trained = outputsInTraining * batch_size * atOnce * numbersPerImage(architecture, atOnce > 1);
  const measured = measuredImages * numbersPerImage(architecture, false);
  return {
    // Weights, gradients, two averages, and each of these once more while the optimiser makes the next.
    training: 4 * 8 * numbersOf(parameters),
    // Checkpoints wait until their group is done.
    kept: 4 * numbersOf(state) * checkpoints.length,
    outputs: 4 * Math.max(trained, measured),
  };
}

const numbersOf = (specs: readonly ParameterSpec[]) =>
  specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);

/** Cuts models into groups, whose members have optimizer and activation in common. */
export function groupMembers(members: readonly Member[], size: number): [Member, ...Member[]][] {
  const alike = Map.groupBy(
    members,
    ({ hyperparameters: { optimizer, activation } }) => `${optimizer} ${activation}`,
  );
  return [...alike.values()].flatMap((all) => {
    const count = Math.ceil(all.length / size);
    // Of nearly the same size, so that none is left with a few.
    return Array.from({ length: count }, (_, i) =>
      all.slice(Math.round((all.length * i) / count), Math.round((all.length * (i + 1)) / count)),
    ) as [Member, ...Member[]][];
  });
}
