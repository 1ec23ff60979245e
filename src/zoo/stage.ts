/** Stage `zoo`: trains the models that are not on disk yet, then writes the manifest. One part trains every n-th model. */
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Images, loadImages } from '../data/stage.ts';
import { openSafetensors, writeSafetensors } from '../engine/safetensors.ts';
import type { StageContext, StageImplementation } from '../engine/stage.ts';
import { tf } from '../engine/tf.ts';
import type { Architecture, ArchitectureOptions } from '../nets/architecture.ts';
import { getArchitecture } from '../nets/registry.ts';
import { groupMembers, groupSize } from './groups.ts';
import { type Member, members, splitMembers, type ZooConfig } from './members.ts';
import { readTrainingState, writeTrainingState } from './state.ts';
import {
  PopulationTraining,
  prepareBoth,
  type TrainedModel,
  type TrainingData,
  type TrainingState,
} from './train.ts';
import { type Checkpoint, manifestName, modelFile, tensorName, type ZooManifest } from './zoo.ts';

/** Where models in training are kept. */
const statesFolder = 'training';

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

/** A group's state is written this often at most, and its progress told. */
const stateEveryMs = 10_000;
const progressEveryMs = 250;

/** Trains those of the given members whose file is not there yet, going on from the states that an interruption left. */
async function trainMissing(context: StageContext, wanted: readonly Member[]): Promise<void> {
  const config = context.config as unknown as ZooConfig;
  await mkdir(join(context.dir, 'models'), { recursive: true });
  await mkdir(join(context.dir, statesFolder), { recursive: true });
  const present = await Promise.all(wanted.map((member) => exists(modelFile(context.dir, member.id))));
  const missing = wanted.filter((_, i) => !present[i]);
  if (missing.length === 0) return;

  const images = await loadImages(context.inputs.dataset as string);
  const architecture = getArchitecture(config.architecture, optionsOf(config, images));
  const data = prepareBoth(images);
  const perModel = config.epochs * images.train.labels.length;
  const progress = { done: (wanted.length - missing.length) * perModel, total: wanted.length * perModel };
  const left = await interrupted(context.dir, missing);
  const begun = new Set(left.flatMap(({ members }) => members));
  const rest = missing.filter((member) => !begun.has(member));
  const groups: Group[] = [
    ...left,
    ...groupMembers(rest, groupSize(architecture, config)).map((members) => ({ members })),
  ];
  for (const group of groups) {
    await trainGroup(context, architecture, config, group, data, progress);
    progress.done += group.members.length * perModel;
  }
  tf.dispose([...Object.values(data.train), ...Object.values(data.test)]);
}

const optionsOf = ({ width }: ZooConfig, { dataset }: Images): ArchitectureOptions => ({
  input: dataset.shape,
  classes: dataset.classes,
  width,
});

interface Group {
  members: [Member, ...Member[]];
  /** Where it goes on from. */
  state?: TrainingState;
}

/** The groups whose training was interrupted and of which no model is finished. */
async function interrupted(dir: string, missing: readonly Member[]): Promise<Group[]> {
  const byId = new Map(missing.map((member) => [member.id, member]));
  const groups: Group[] = [];
  for (const name of (await readdir(join(dir, statesFolder))).sort()) {
    if (!byId.has(name.replace('.safetensors', ''))) continue;
    const { ids, state } = await readTrainingState(join(dir, statesFolder, name));
    const members = ids.flatMap((id) => byId.get(id) ?? []);
    // Where some are finished, the others are trained anew: their results are the same.
    if (members.length === ids.length) groups.push({ members: members as [Member, ...Member[]], state });
  }
  return groups;
}

/** Trains a group to its end and writes its models. `progress` is that of the models before. */
async function trainGroup(
  { dir, report }: StageContext,
  architecture: Architecture,
  config: ZooConfig,
  { members, state }: Group,
  data: TrainingData,
  progress: { done: number; total: number },
): Promise<void> {
  const statePath = join(dir, statesFolder, `${members[0].id}.safetensors`);
  const ids = members.map(({ id }) => id);
  const training = new PopulationTraining(architecture, config, members, data);
  if (state) training.restore(state);
  const count = data.train.labels.size;
  let savedAt = performance.now();
  let toldAt = Number.NEGATIVE_INFINITY;
  while (training.epoch < config.epochs) {
    await training.trainEpoch((images) => {
      if (performance.now() - toldAt < progressEveryMs) return;
      toldAt = performance.now();
      const done = progress.done + members.length * (training.epoch * count + images);
      const { testAccuracy: value } = training;
      const metric = value === undefined ? {} : { metric: { name: 'test accuracy', value } };
      report({ done, total: progress.total, unit: 'images', ...metric });
      // The report leaves this process only when something is waited for.
      return Bun.sleep(0);
    });
    if (training.epoch < config.epochs && performance.now() - savedAt > stateEveryMs) {
      await writeTrainingState(statePath, ids, await training.state());
      savedAt = performance.now();
    }
  }
  for (const [i, model] of training.models().entries()) {
    await writeModel(dir, members[i] as Member, architecture.state, model);
  }
  await rm(statePath, { force: true });
  training.dispose();
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
    await rm(join(context.dir, statesFolder), { recursive: true });
    const splits = splitMembers(all.length, config.split, config.seed);
    const images = await loadImages(context.inputs.dataset as string);
    const manifest: ZooManifest = {
      architecture: config.architecture,
      options: optionsOf(config, images),
      dataset: images.dataset.name,
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
