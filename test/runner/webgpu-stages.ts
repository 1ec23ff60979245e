/**
 * The stages of stages.ts, whose `sane` trains a little on its device, keeps what the device's adapter calls itself, and loses the
 * device where the test says so by a file.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { StageContext } from '../../src/stages/stage.ts';
import { AdamW } from '../../src/tensor/optimizers.ts';
import { tf } from '../../src/tensor/tf.ts';
import { stages as plain } from './stages.ts';

async function train({ config, dir, dataDir }: StageContext): Promise<void> {
  const { device } = tf.backend() as unknown as { device: GPUDevice };
  const variable = tf.variable(tf.ones([6, 6]));
  const optimizer = new AdamW([{ name: 'w', variable, decay: true }]);
  for (let step = 0; step < 5; step++) {
    if (step === 2 && existsSync(join(dataDir as string, `lose-${config.seed}`))) device.destroy();
    const { value, grads } = tf.variableGrads(() => tf.sum(tf.matMul(variable, variable)), [variable]);
    optimizer.step({ w: grads[variable.name] as tf.Tensor }, { learningRate: 0.1 });
    await value.data();
  }
  const [weight] = await variable.data();
  await Bun.write(join(dir, 'weights'), `${weight}`);
  await Bun.write(join(dir, 'adapter'), device.adapterInfo.device);
}

export const stages = { ...plain, sane: { usesDevice: true, load: async () => ({ execute: train }) } };
