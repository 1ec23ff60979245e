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
 * there are. Throws a LauncherError where a job of more cores than any node has would wait for ever.
 */
export function resourcesOf(
  settings: LauncherSettings,
  { stage }: Pick<StageNode, 'stage'>,
  largest: LargestNodes,
): Resources {
  const given = { ...settings, ...settings.stages?.[stage as keyof typeof settings.stages] };
  const { partition = null, account = null, time, memory = null, gpus = 0 } = given;
  const names = Array.isArray(partition) ? partition : [partition ?? ''];
  const limit = Math.max(...names.map((name) => largest.get(name) ?? Number.POSITIVE_INFINITY));
  const { cpus = Math.min(defaultCpus, limit) } = given;
  if (cpus > limit)
    throw new LauncherError(
      `launcher.cpus is ${cpus} for the stage ${stage}, and the largest node of ${partition === null ? 'the default partition' : names.join(' and ')} has ${limit}`,
      'lower it, or name another partition',
    );
  return {
    partition: Array.isArray(partition) ? partition.join(',') : partition,
    ...{ account, memory, cpus },
    time: time === undefined ? null : String(time),
    gpus: (stages[stage]?.usesDevice ?? true) ? gpus : 0,
  };
}
