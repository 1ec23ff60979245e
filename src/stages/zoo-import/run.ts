/** Stage `zoo-import`: the zoo in a folder as this program's own. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Shape } from '../../data/dataset.ts';
import type { ZooSettings } from '../../experiment/types.ts';
import type { WrittenArchitecture } from '../../nets/written.ts';
import { findZoo } from '../../zoo/import/find.ts';
import { inspectZooFolder } from '../../zoo/import/fingerprint.ts';
import { importZoo } from '../../zoo/import/import.ts';
import type { Hyperparameters } from '../../zoo/members.ts';
import type { StageImplementation } from '../stage.ts';

type Config = Pick<ZooSettings, 'models' | 'seed' | 'checkpoints' | 'split'> & {
  architecture: string;
  written?: WrittenArchitecture;
  dataset: string;
  /** Of a data set that the experiment itself names. */
  images?: { name: string; shape: Shape };
  fingerprint: string;
  /** What the models' trainings are taken to have had where the folder does not say. */
  assumed: Hyperparameters;
  folder: string;
};

export const zooImportStage: StageImplementation = {
  async execute({ config: json, dir, report }) {
    const { folder, fingerprint, checkpoints, assumed, ...config } = json as unknown as Config;
    const found = await findZoo(folder);
    const now = inspectZooFolder(folder);
    if ('problem' in now) throw new Error(now.problem);
    if (now.fingerprint !== fingerprint)
      throw new Error(
        `the files of ${folder} changed between planning and importing, so they may be no finished zoo: leave the folder alone and start again, or name a copy of it in zoo.import`,
      );
    // What an interruption left may be of other models.
    await rm(join(dir, 'models'), { recursive: true, force: true });
    const options = { ...config, epochs: checkpoints, hyperparameters: () => assumed };
    await importZoo(found, dir, options, report);
  },
};
