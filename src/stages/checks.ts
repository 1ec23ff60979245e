/** Mistakes that the settings of several stages can have. */
import { splitSizes } from '../base/shares.ts';
import { type ArchitectureDescription, type Catalogue, tasksOf } from '../experiment/catalogue.ts';
import type { PlannedRun, SettingProblem } from '../experiment/stage-plan.ts';
import type { Settings } from '../experiment/types.ts';
import { populationSize } from './work.ts';

type BlockOfEpochs = 'analysis' | 'sane' | 'hyper_representation' | 'property_prediction';

/** Epochs that a block uses and the zoo does not keep. */
export function checkCheckpoints(block: BlockOfEpochs, settings: Settings): SettingProblem[] {
  const { checkpoints } = settings.zoo;
  const missing = (settings[block].checkpoints ?? []).filter((epoch) => !checkpoints.includes(epoch));
  if (missing.length === 0) return [];
  return [
    {
      code: 'missing-checkpoint',
      path: [block, 'checkpoints'],
      message: `the zoo keeps the epochs ${checkpoints.join(', ')}`,
      received: `epochs ${missing.join(', ')}`,
      hint: 'add them to zoo.checkpoints',
    },
  ];
}

/**
 * The epochs that a block uses where nobody gave any: of those in the recipe the ones that the zoo keeps, or all of the zoo's (null)
 * where that leaves fewer than `least`.
 */
export function narrowCheckpoints(block: BlockOfEpochs, least: number, settings: Settings) {
  const wanted = settings[block].checkpoints;
  if (wanted === null) return {};
  const used = wanted.filter((epoch) => settings.zoo.checkpoints.includes(epoch));
  return { [`${block}.checkpoints`]: used.length < least ? null : used };
}

/** The networks of the run's zoo; undefined where the architecture does not take its images, which its zoo reports. */
export function networkOfRun(
  { architecture, dataset, settings: { data, zoo } }: PlannedRun,
  { architectures, datasets }: Catalogue,
): ReturnType<ArchitectureDescription['build']> | undefined {
  const [images, found] = [datasets[dataset], architectures[architecture]];
  if (!images || !found) return undefined;
  const [height, width, channels] = images.shape;
  const size = (side: number) => data.resize ?? data.crop ?? side;
  try {
    return found.build({
      input: [size(height), size(width), data.grey ? 1 : channels],
      classes: images.classes,
      width: zoo.width,
    });
  } catch {
    return undefined;
  }
}

/** Attention heads that do not divide the width. */
export function checkHeads(block: 'sane' | 'hyper_representation', settings: Settings): SettingProblem[] {
  const { heads, d_model: width } = settings[block];
  if (width % heads === 0) return [];
  return [
    {
      code: 'uneven-heads',
      path: [block, 'heads'],
      message: `heads must divide ${block}.d_model`,
      received: `${heads} heads, a d_model of ${width}`,
    },
  ];
}

/** A batch larger than an epoch, of an autoencoder that the run trains. How many models an imported zoo has, only its import shows. */
export function checkBatches(
  block: 'sane' | 'hyper_representation',
  { task, settings }: PlannedRun,
  catalogue: Catalogue,
): SettingProblem[] {
  const ends = tasksOf(catalogue).find(({ name }) => name === task);
  const { zoo } = settings;
  if (zoo.import !== null || !ends?.task.dependsOn(settings).includes(block)) return [];
  const { batch_size, checkpoints } = settings[block];
  const [models] = splitSizes(populationSize(zoo), zoo.split);
  const epochs = (checkpoints ?? zoo.checkpoints).length;
  const ofEach = block === 'sane' ? settings.sane.windows_per_sample : 1;
  const windows = models * epochs * ofEach;
  if (batch_size <= windows) return [];
  return [
    {
      code: 'large-batch',
      path: [block, 'batch_size'],
      message: `an epoch has only ${windows} windows: ${models} training models, ${epochs} checkpoints and ${ofEach} windows of each`,
      received: `a batch of ${batch_size}`,
      hint: `lower ${block}.batch_size or raise zoo.models`,
    },
  ];
}
