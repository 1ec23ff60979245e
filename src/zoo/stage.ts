/** Stage `zoo`: trains the models that are not on disk yet, then writes the manifest. One part trains every n-th model. */
import { mkdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { loadImages } from '../data/stage.ts';
import { openSafetensors, writeSafetensors } from '../engine/safetensors.ts';
import type { StageContext, StageImplementation } from '../engine/stage.ts';
import { getArchitecture } from '../nets/registry.ts';
import { type Member, members, splitMembers, type ZooConfig } from './members.ts';
import { prepare, type TrainedModel, trainModel } from './train.ts';
import { type Checkpoint, manifestName, modelFile, tensorName, type ZooManifest } from './zoo.ts';

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

async function writeModel(
  dir: string,
  member: Member,
  parameters: readonly { name: string; shape: number[] }[],
  model: TrainedModel,
) {
  const tensors = model.checkpoints.flatMap(({ epoch, weights }) =>
    parameters.map(({ name, shape }) => ({
      name: tensorName(epoch, name),
      shape,
      data: weights.get(name) as Float32Array,
    })),
  );
  const checkpoints: Checkpoint[] = model.checkpoints.map(({ weights: _, ...properties }) => properties);
  await writeSafetensors(modelFile(dir, member.id), tensors, { checkpoints: JSON.stringify(checkpoints) });
}

/** Trains those of the given members whose file is not there yet. */
async function trainMissing(context: StageContext, wanted: readonly Member[]): Promise<void> {
  const config = context.config as unknown as ZooConfig;
  await mkdir(join(context.dir, 'models'), { recursive: true });
  const present = await Promise.all(wanted.map((member) => exists(modelFile(context.dir, member.id))));
  const missing = wanted.filter((_, i) => !present[i]);
  if (missing.length === 0) return;

  const architecture = getArchitecture(config.architecture);
  const images = await loadImages(context.inputs.dataset as string);
  if (images.dataset.shape.join() !== architecture.input.join()) {
    throw new Error(
      `${architecture.name} takes images of ${architecture.input.join(' x ')}, ${images.dataset.name} has ${images.dataset.shape.join(' x ')}`,
    );
  }
  const data = { train: prepare(images.train, images), test: prepare(images.test, images) };
  const total = wanted.length * config.epochs;
  let done = (wanted.length - missing.length) * config.epochs;
  for (const member of missing) {
    const model = trainModel(architecture, config, member, data, (_epoch, testAccuracy) => {
      done++;
      const metric =
        testAccuracy === undefined ? {} : { metric: { name: 'test accuracy', value: testAccuracy } };
      context.report({ done, total, unit: 'model epochs', ...metric });
    });
    await writeModel(context.dir, member, architecture.parameters, model);
  }
}

export const zooStage: StageImplementation = {
  usesDevice: true,

  executePart(context, part, parts) {
    const mine = members(context.config as unknown as ZooConfig).filter((_, i) => i % parts === part);
    return trainMissing(context, mine);
  },

  async execute(context) {
    const config = context.config as unknown as ZooConfig;
    const all = members(config);
    await trainMissing(context, all);
    const splits = splitMembers(all.length, config.split, config.seed);
    const { dataset } = await loadImages(context.inputs.dataset as string);
    const manifest: ZooManifest = {
      architecture: config.architecture,
      dataset: dataset.name,
      epochs: [...config.checkpoints].sort((a, b) => a - b),
      models: await Promise.all(
        all.map(async (member, i) => {
          const file = await openSafetensors(modelFile(context.dir, member.id));
          await file.close();
          const checkpoints = JSON.parse(file.metadata.checkpoints as string) as Checkpoint[];
          return { ...member, split: splits[i] as (typeof splits)[number], checkpoints };
        }),
      ),
    };
    const path = join(context.dir, manifestName);
    await Bun.write(`${path}.tmp`, `${JSON.stringify(manifest, undefined, 1)}\n`);
    await rename(`${path}.tmp`, path);
  },
};
