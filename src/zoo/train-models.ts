/** Trains models group by group, each written to its file when its group is done, and resumes where it was interrupted. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../base/files.ts';
import type { Report } from '../base/progress.ts';
import { openSafetensors, writeSafetensors } from '../base/safetensors.ts';
import type { Architecture, StateDict } from '../nets/architecture.ts';
import { groupMembers, groupSize } from './groups.ts';
import type { Member, ZooConfig } from './members.ts';
import { readTrainingState, writeTrainingState } from './state.ts';
import { PopulationTraining, type TrainedModel, type TrainingData, type TrainingState } from './train.ts';
import { type Checkpoint, modelFile, tensorName } from './zoo.ts';

export interface Training {
  architecture: Architecture;
  config: ZooConfig;
  data: TrainingData;
  /** The weights that a model begins at, by its id; those of its initialisation if missing. */
  initial?: ReadonlyMap<string, StateDict>;
  /** Where the models are, and those in training until `clearStates`. */
  dir: string;
  report: Report;
  /** A group's state is written this often at most. */
  stateEveryMs?: number;
  /** Progress is reported this often at most. */
  progressEveryMs?: number;
}

const statesFolder = 'training';

/** Those of the members whose file is not there yet. */
export async function missingModels(dir: string, wanted: readonly Member[]): Promise<Member[]> {
  const exists = (path: string) =>
    stat(path).then(
      () => true,
      () => false,
    );
  const present = await Promise.all(wanted.map(({ id }) => exists(modelFile(dir, id))));
  return wanted.filter((_, i) => !present[i]);
}

/** Trains those of the members whose file is not there yet, resuming from the states that an interruption left. */
export async function trainModels(wanted: readonly Member[], training: Training): Promise<void> {
  const { architecture, config, data, dir } = training;
  await makeFolder(join(dir, 'models'));
  await makeFolder(join(dir, statesFolder));
  const missing = await missingModels(dir, wanted);
  const perModel = config.epochs * data.train.labels.size;
  const progress = { done: (wanted.length - missing.length) * perModel, total: wanted.length * perModel };
  const left = await interrupted(dir, missing);
  const begun = new Set(left.flatMap(({ members }) => members));
  const rest = missing.filter((member) => !begun.has(member));
  const groups: Group[] = [
    ...left,
    ...groupMembers(rest, groupSize(architecture, config)).map((members) => ({ members })),
  ];
  for (const group of groups) {
    await trainGroup(training, group, progress);
    progress.done += group.members.length * perModel;
  }
}

/** Removes what was kept of models in training. */
export const clearStates = (dir: string) => rm(join(dir, statesFolder), { recursive: true, force: true });

/** The properties of a trained model's checkpoints. */
export async function readCheckpoints(dir: string, id: string): Promise<Checkpoint[]> {
  const file = await openSafetensors(modelFile(dir, id));
  await file.close();
  return file.json('checkpoints') as Checkpoint[];
}

interface Group {
  members: [Member, ...Member[]];
  /** What it resumes from. */
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
  {
    architecture,
    config,
    data,
    initial,
    dir,
    report,
    stateEveryMs = 10_000,
    progressEveryMs = 250,
  }: Training,
  { members, state }: Group,
  progress: { done: number; total: number },
): Promise<void> {
  const statePath = join(dir, statesFolder, `${members[0].id}.safetensors`);
  const ids = members.map(({ id }) => id);
  const weights = initial && ids.map((id) => initial.get(id) as StateDict);
  const training = new PopulationTraining(architecture, config, members, data, weights);
  if (state) training.restore(state);
  const count = data.train.labels.size;
  let savedAt = performance.now();
  let reportedAt = Number.NEGATIVE_INFINITY;
  while (training.epoch < config.epochs) {
    await training.trainEpoch((images) => {
      if (performance.now() - reportedAt < progressEveryMs) return;
      reportedAt = performance.now();
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
    await writeModel(dir, ids[i] as string, architecture.state, model);
  }
  await rm(statePath, { force: true });
  training.dispose();
}

async function writeModel(
  dir: string,
  id: string,
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
  await writeSafetensors(modelFile(dir, id), tensors, { checkpoints: JSON.stringify(checkpoints) });
}
