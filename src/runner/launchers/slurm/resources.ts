/** What the jobs of a stage ask Slurm for. */
import type { LauncherSettings, StageNode } from '../../../experiment/types.ts';
import { stages } from '../../../stages/registry.ts';

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

/** From the block `launcher`: its own settings, and those of the kind of stage. */
export function resourcesOf(settings: LauncherSettings, { stage }: Pick<StageNode, 'stage'>): Resources {
  const given = { ...settings, ...settings.stages?.[stage as keyof typeof settings.stages] };
  const { partition = null, account = null, time, memory = null, cpus = defaultCpus, gpus = 0 } = given;
  return {
    partition: Array.isArray(partition) ? partition.join(',') : partition,
    ...{ account, memory, cpus },
    time: time === undefined ? null : String(time),
    gpus: (stages[stage]?.usesDevice ?? true) ? gpus : 0,
  };
}
