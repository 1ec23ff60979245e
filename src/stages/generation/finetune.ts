/** Fine-tuning of sampled networks with the recipe of their zoo, in groups as the zoo's models are trained. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../base/files.ts';
import type { Report } from '../../base/progress.ts';
import { Random } from '../../base/random.ts';
import { openSafetensors } from '../../base/safetensors.ts';
import type { Architecture, StateDict } from '../../nets/architecture.ts';
import type { Member, ZooConfig } from '../../zoo/members.ts';
import type { TrainedModel, TrainingData } from '../../zoo/train.ts';
import { readCheckpoints, trainModels } from '../../zoo/train-models.ts';
import { modelFile, tensorName } from '../../zoo/zoo.ts';

export interface Finetuning {
  architecture: Architecture;
  /** The zoo's, whose optimizer, learning rate, batches and regularisation are used. */
  recipe: ZooConfig;
  /** Networks trained at once, as `zoo.models_at_once`; null: as many as memory has room for. */
  models_at_once: number | null;
  /** Epochs at whose end the networks are measured, ascending, none 0; the last is the budget. */
  epochs: readonly number[];
  data: TrainingData;
  seed: number;
  /** Where finished networks and an interrupted training are kept until all are done. */
  dir: string;
  /** A training's state is saved and progress reported this often at most. */
  stateEveryMs?: number;
  progressEveryMs?: number;
  report: Report;
}

/** Trains the networks on and returns each one's checkpoints at the listed epochs. A network's id names its stream of batches. */
export async function finetune(
  networks: readonly { id: string; weights: StateDict }[],
  { architecture, recipe, models_at_once, epochs, seed, dir, ...rest }: Finetuning,
): Promise<TrainedModel['checkpoints'][]> {
  const { optimizer, learning_rate, weight_decay, dropout, activation, init } = recipe;
  const hyperparameters = { optimizer, learning_rate, weight_decay, dropout, activation, init };
  const members = networks.map(
    ({ id }): Member => ({
      id,
      seed: new Random(seed, 'generation', 'finetune', id).bits(),
      hyperparameters,
    }),
  );
  const checkpoints = [...epochs] as [number, ...number[]];
  const config: ZooConfig = { ...recipe, models_at_once, epochs: epochs.at(-1) as number, checkpoints };
  const initial = new Map(networks.map(({ id, weights }) => [id, weights]));
  const folder = join(dir, 'finetuning');
  await makeFolder(folder);
  await trainModels(members, { architecture, config, initial, dir: folder, ...rest });
  const trained: TrainedModel['checkpoints'][] = [];
  for (const { id } of members) trained.push(await readModel(folder, id, architecture));
  await rm(folder, { recursive: true });
  return trained;
}

/** The checkpoints of a trained network, with their weights. */
async function readModel(
  dir: string,
  id: string,
  { state }: Architecture,
): Promise<TrainedModel['checkpoints']> {
  const checkpoints = await readCheckpoints(dir, id);
  const file = await openSafetensors(modelFile(dir, id));
  try {
    return await Promise.all(
      checkpoints.map(async (checkpoint) => {
        const weights: StateDict = new Map();
        for (const { name } of state)
          weights.set(name, await file.readFloats(tensorName(checkpoint.epoch, name)));
        return { ...checkpoint, weights };
      }),
    );
  } finally {
    await file.close();
  }
}
