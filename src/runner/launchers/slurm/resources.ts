/** What the jobs of a stage ask Slurm for. */
import type { LauncherSettings, StageNode } from '../../../experiment/types.ts';
import { stages } from '../../../stages/registry.ts';
import { LauncherError } from '../launcher.ts';

export interface Resources {
  /** Names, separated by commas. */
  partition: string | null;
  account: string | null;
  /** As Slurm writes a time limit; null: from the estimate. */
  time: string | null;
  memory: string | null;
  cpus: number;
  gpus: number;
}

const defaultCpus = 4;

/** The cores of the largest node of each partition; that of jobs that name none is ''. Empty where there is no Slurm to ask. */
export type LargestNodes = ReadonlyMap<string, number>;

/**
 * From the block `launcher`: its own settings, and those of the kind of stage. Where it says nothing of cores a job gets some, and no more than
 * each of its partitions has on a node.
 */
export function resourcesOf(
  settings: LauncherSettings,
  { stage }: Pick<StageNode, 'stage'>,
  largest: LargestNodes,
): Resources {
  const given = { ...settings, ...settings.stages?.[stage as keyof typeof settings.stages] };
  const { partition = null, account = null, time, memory = null, gpus = 0 } = given;
  const names = Array.isArray(partition) ? partition.join(',') : partition;
  const { cpus = Math.min(defaultCpus, ...limitsOf(names, largest)) } = given;
  return {
    partition: names,
    ...{ account, memory, cpus },
    time: time === undefined ? null : String(time),
    gpus: (stages[stage]?.usesDevice ?? true) ? gpus : 0,
  };
}

/** The cores of the largest node of each partition that is named, or of the default one. Infinite where it is not known. */
function limitsOf(partition: string | null, largest: LargestNodes): number[] {
  // The environment of sbatch has precedence over its script.
  const names = process.env.SBATCH_PARTITION || partition || '';
  return names.split(',').map((name) => largest.get(name) ?? Number.POSITIVE_INFINITY);
}

/** Throws a LauncherError where a job of this stage would wait for ever, since no node has so many cores. */
export function expectNode({ partition, cpus }: Resources, stage: string, largest: LargestNodes): void {
  const limit = Math.max(...limitsOf(partition, largest));
  if (cpus <= limit) return;
  const where = process.env.SBATCH_PARTITION || partition;
  throw new LauncherError(
    `launcher.cpus is ${cpus} for the stage ${stage}, and the largest node of ${where ? where.split(',').join(' and ') : 'the default partition'} has ${limit}`,
    'lower it, or name another partition',
  );
}
