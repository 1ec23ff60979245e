/** Zoos written to disk without training, and stages run on them. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json } from '../../src/base/json.ts';
import { writeSafetensors } from '../../src/base/safetensors.ts';
import type { Architecture, StateDict } from '../../src/nets/architecture.ts';
import type { StageImplementation } from '../../src/stages/stage.ts';
import type { Split } from '../../src/zoo/members.ts';
import { modelFile, tensorName, type ZooManifest } from '../../src/zoo/zoo.ts';

export interface WrittenModel {
  split: Split;
  /** In the order of the epochs. An epoch at which it had diverged is left out. */
  checkpoints: { epoch: number; weights: StateDict }[];
}

/** Nothing runs at epoch 0. */
const running = (epoch: number) =>
  epoch === 0
    ? { running_train_accuracy: null, running_train_loss: null }
    : { running_train_accuracy: 0.1 + epoch / 40, running_train_loss: 2 };

/**
 * Writes a zoo as stage `zoo` leaves it. At epoch e the test accuracy is 0.1 + e/20, the training accuracy 0.1 + e/10, and what it was
 * while training 0.1 + e/40.
 */
export async function writeZoo(
  at: string,
  { name, input, classes, state }: Architecture,
  width: number | null,
  models: WrittenModel[],
): Promise<void> {
  await mkdir(join(at, 'models'), { recursive: true });
  const epochs = [...new Set(models.flatMap(({ checkpoints }) => checkpoints.map(({ epoch }) => epoch)))];
  const manifest: ZooManifest = {
    ...{ architecture: name, options: { input, classes, width }, dataset: 'glyphs', epochs },
    models: models.map(({ split, checkpoints }, m) => ({
      ...{ id: `model-${m}`, seed: m, split },
      hyperparameters: {
        ...{ optimizer: 'adam', learning_rate: 1, weight_decay: 0, dropout: 0 },
        ...{ activation: 'tanh', init: 'uniform' },
      },
      checkpoints: checkpoints.map(({ epoch }) => ({
        ...{ epoch, test_accuracy: 0.1 + epoch / 20, train_accuracy: 0.1 + epoch / 10 },
        ...{ train_loss: 1, test_loss: 1, ...running(epoch) },
      })),
    })),
  };
  for (const [m, { checkpoints }] of models.entries()) {
    const tensors = checkpoints.flatMap(({ epoch, weights }) =>
      state.map(({ name, shape }) => ({ name: tensorName(epoch, name), shape, data: weights.get(name)! })),
    );
    await writeSafetensors(modelFile(at, `model-${m}`), tensors);
  }
  await Bun.write(join(at, 'manifest.json'), JSON.stringify(manifest));
}

export function contextOf(config: Record<string, Json>, inputs: Record<string, string>, dir: string) {
  return { config, inputs, dir, dataDir: undefined, report: () => {} };
}

/** Runs a whole stage in folder `dir`. */
export async function runStage(
  implementation: StageImplementation,
  config: Record<string, Json>,
  inputs: Record<string, string>,
  dir: string,
): Promise<string> {
  await mkdir(dir, { recursive: true });
  await implementation.execute(contextOf(config, inputs, dir));
  return dir;
}
