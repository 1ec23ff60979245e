/** Fine-tuning of sampled networks with the recipe of their zoo, in lockstep. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Report } from '../../engine/progress.ts';
import { Random } from '../../engine/random.ts';
import type { Architecture, StateDict } from '../../nets/architecture.ts';
import type { Member, ZooConfig } from '../../zoo/members.ts';
import { readTrainingState, writeTrainingState } from '../../zoo/state.ts';
import { PopulationTraining, type TrainedModel, type TrainingData } from '../../zoo/train.ts';

export interface Finetuning {
  architecture: Architecture;
  /** The zoo's, whose optimizer, learning rate, batches and regularisation are used. */
  recipe: ZooConfig;
  /** Epochs at whose end the networks are measured, ascending, none 0; the last is the budget. */
  epochs: readonly number[];
  data: TrainingData;
  seed: number;
  /** Where an interrupted training is kept. */
  dir: string;
  /** It is kept this often at most. */
  stateEveryMs?: number;
  report: Report;
}

/** Trains the networks on and returns each with its checkpoints at the listed epochs. A network's id names its stream of batches. */
export async function finetune(
  networks: readonly { id: string; weights: StateDict }[],
  { architecture, recipe, epochs, data, seed, dir, stateEveryMs = 10_000, report }: Finetuning,
): Promise<TrainedModel[]> {
  const { optimizer, learning_rate, weight_decay, dropout, activation, init } = recipe;
  const hyperparameters = { optimizer, learning_rate, weight_decay, dropout, activation, init };
  const members = networks.map(
    ({ id }): Member => ({
      id,
      seed: new Random(seed, 'generation', 'finetune', id).bits(),
      hyperparameters,
    }),
  );
  const budget = epochs.at(-1) as number;
  const config: ZooConfig = { ...recipe, epochs: budget, checkpoints: [...epochs] as [number, ...number[]] };
  const weights = networks.map((network) => network.weights);
  const training = new PopulationTraining(
    architecture,
    config,
    members as [Member, ...Member[]],
    data,
    weights,
  );
  const path = join(dir, 'finetuning.safetensors');
  if (await Bun.file(path).exists()) training.restore((await readTrainingState(path)).state);
  const perEpoch = data.train.labels.size * networks.length;
  let savedAt = performance.now();
  while (training.epoch < budget) {
    await training.trainEpoch((images) => {
      const done = training.epoch * perEpoch + images * networks.length;
      report({ done, total: budget * perEpoch, unit: 'images' });
      return Bun.sleep(0);
    });
    if (training.epoch < budget && performance.now() - savedAt > stateEveryMs) {
      const ids = members.map(({ id }) => id);
      await writeTrainingState(path, ids, await training.state());
      savedAt = performance.now();
    }
  }
  const models = training.models();
  training.dispose();
  await rm(path, { force: true });
  return models;
}
