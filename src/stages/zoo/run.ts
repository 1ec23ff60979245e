/** Stage `zoo`: trains the models that are not on disk yet, then writes the manifest. One part trains every n-th model. */
import { join } from 'node:path';
import { writeJson } from '../../base/files.ts';
import { type Images, loadImages } from '../../data/images.ts';
import type { ArchitectureOptions } from '../../nets/architecture.ts';
import { getArchitecture } from '../../nets/registry.ts';
import { tf } from '../../tensor/tf.ts';
import { type Member, members, splitMembers, type ZooConfig } from '../../zoo/members.ts';
import { prepareBoth } from '../../zoo/train.ts';
import { clearStates, missingModels, readCheckpoints, trainModels } from '../../zoo/train-models.ts';
import { manifestName, type ZooManifest } from '../../zoo/zoo.ts';
import type { StageContext, StageImplementation } from '../stage.ts';

/** Trains those of the given members that are not there yet. */
async function trainMissing({ config: json, inputs, dir, report }: StageContext, wanted: readonly Member[]) {
  if ((await missingModels(dir, wanted)).length === 0) {
    // All there already: nobody shall take the speed of this for that of training.
    report({ done: wanted.length, total: wanted.length, unit: 'models' });
    return;
  }
  const config = json as unknown as ZooConfig;
  const images = await loadImages(inputs.dataset as string);
  const architecture = getArchitecture(config.architecture, optionsOf(config, images));
  const data = prepareBoth(images);
  await trainModels(wanted, { architecture, config, data, dir, report });
  tf.dispose([...Object.values(data.train), ...Object.values(data.test)]);
}

const optionsOf = ({ width, written }: ZooConfig, { dataset }: Images): ArchitectureOptions => ({
  input: dataset.shape,
  classes: dataset.classes,
  width,
  ...(written && { written }),
});

export const zooStage: StageImplementation = {
  executePart(context, part, parts) {
    const mine = members(context.config as unknown as ZooConfig).filter((_, i) => i % parts === part);
    return trainMissing(context, mine);
  },

  async execute(context) {
    const config = context.config as unknown as ZooConfig;
    const all = members(config);
    await trainMissing(context, all);
    await clearStates(context.dir);
    const splits = splitMembers(all.length, config.split, config.seed);
    const images = await loadImages(context.inputs.dataset as string);
    const manifest: ZooManifest = {
      architecture: config.architecture,
      options: optionsOf(config, images),
      dataset: images.dataset.name,
      epochs: [...config.checkpoints].sort((a, b) => a - b),
      models: await Promise.all(
        all.map(async (member, i) => {
          const checkpoints = await readCheckpoints(context.dir, member.id);
          return { ...member, split: splits[i] as (typeof splits)[number], checkpoints };
        }),
      ),
    };
    await writeJson(join(context.dir, manifestName), manifest);
  },
};
