/** Which models of a zoo are trained together. */
import { freemem } from 'node:os';
import type { Architecture } from '../nets/architecture.ts';
import type { Member, ZooConfig } from './members.ts';

/** More models at once are not faster on any device so far. */
const largestGroup = 64;

/** The share of the memory free now that a population may take. */
const memoryShare = 0.25;

/** Models of a group: as many as was asked for, or as memory has room for. */
export function groupSize(architecture: Architecture, config: ZooConfig): number {
  if (config.lockstep !== null) return config.lockstep;
  const numbers = architecture.parameters.reduce(
    (sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1),
    0,
  );
  // Weights, gradients, two averages, and each of these once more while the optimiser makes the next; then what is kept.
  const bytes = 4 * numbers * (8 + config.checkpoints.length);
  return Math.max(1, Math.min(largestGroup, Math.floor((freemem() * memoryShare) / bytes)));
}

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
