/** Mistakes between the settings of one run, which only its resolved settings show. */
import type { Problem } from './problems.ts';
import { type Models, promptsOf } from './prompts.ts';
import { dataSettingsFor } from './resolve.ts';
import type { Architecture, DataSettings, Dataset, Folder, Run } from './types.ts';

/** Architectures without a width to set, as the registry of networks has them, which planning does not load. */
export const ofOneWidth: ReadonlySet<Architecture> = new Set(['cnn-small', 'cnn-large', 'mini-alexnet']);

/** Data sets of grey images, as their registry has them, which planning does not load; all others have three channels. */
export const greyDatasets: ReadonlySet<Dataset> = new Set(['glyphs', 'mnist', 'fashion-mnist', 'usps']);

type RunProblem = Omit<Problem, 'path' | 'place'> & { path: string[] };

/**
 * What is wrong with a run's settings. `given` are the settings that the file or the arguments gave, `folders` what is in the folders that
 * they name.
 */
export function checkRun(
  run: Pick<Run, 'architecture' | 'dataset' | 'task' | 'settings'>,
  given: ReadonlySet<string>,
  folders: ReadonlyMap<string, Folder>,
): RunProblem[] {
  const { architecture, task, settings } = run;
  const { zoo, sane, hyper_representation: baseline, property_prediction: prediction, generation } = settings;
  const problems = checkZoo(run, ['zoo']);
  for (const [block, used] of [
    ['sane', sane.epochs_used],
    ['hyper_representation', baseline.epochs_used],
    ['property_prediction', prediction.epochs_used],
  ] as const) {
    const missing = (used ?? []).filter((epoch) => !zoo.checkpoints.includes(epoch));
    if (missing.length > 0) {
      problems.push({
        code: 'missing-checkpoint',
        path: [block, 'epochs_used'],
        message: `the zoo keeps the epochs ${zoo.checkpoints.join(', ')}`,
        received: `epochs ${missing.join(', ')}`,
        hint: 'add them to zoo.checkpoints',
      });
    }
  }
  for (const [block, { heads, d_model: width }] of [
    ['sane', sane],
    ['hyper_representation', baseline],
  ] as const) {
    if (width % heads === 0) continue;
    problems.push({
      code: 'uneven-heads',
      path: [block, 'heads'],
      message: `heads must divide ${block}.d_model`,
      received: `${heads} heads, a d_model of ${width}`,
    });
  }
  if (sane.shared_permutations && sane.permutations === null) {
    problems.push({
      code: 'nothing-shared',
      path: ['sane', 'shared_permutations'],
      message: 'without a number of permutations every view has a fresh one, which nothing shares',
      received: 'sane.permutations null',
      hint: 'set sane.permutations',
    });
  }
  const wholeNetworks = task === 'generation' && generation.methods.includes('hyper-representation');
  if (wholeNetworks && !architecture.startsWith('cnn-')) {
    problems.push({
      code: 'large-network',
      path: ['generation', 'methods'],
      message: 'hyper-representation sees all weights of a network at once, which only the small CNNs allow',
      received: `architecture ${architecture}`,
      hint: 'leave hyper-representation out for this architecture, by an entry of overrides',
    });
  }
  const promptPath = generation.prompt_zoo ? ['generation', 'prompt_zoo', 'zoo'] : ['zoo'];
  const prompts = promptsOf(run);
  const promptZoo = prompts.settings.zoo;
  if (promptZoo !== zoo) problems.push(...checkZoo(prompts, promptPath));
  problems.push(...checkGeneration(prompts, promptPath, given));
  if (task === 'generation') problems.push(...checkChannels(run, promptPath, folders));
  const activations = promptZoo.vary.activation ?? [];
  if (task === 'generation' && activations.length > 1 && promptZoo.import === null) {
    problems.push({
      code: 'mixed-activations',
      path: [...promptPath, 'vary'],
      message: 'networks are drawn among models of one activation',
      received: `activations ${activations.join(', ')}`,
      hint: `leave activation out of ${promptPath.join('.')}.vary for generation, by an entry of overrides`,
    });
  }
  return problems;
}

/** What is wrong with the zoo of these models, which is set at `path`. */
function checkZoo({ architecture, settings: { zoo } }: Models, path: readonly string[]): RunProblem[] {
  const problems: RunProblem[] = [];
  const name = path.join('.');
  const late = zoo.checkpoints.filter((epoch) => epoch > zoo.epochs);
  if (late.length > 0 && zoo.import === null) {
    problems.push({
      code: 'late-checkpoint',
      path: [...path, 'checkpoints'],
      message: `the zoo ends at epoch ${zoo.epochs}`,
      received: `epochs ${late.join(', ')}`,
      hint: `raise ${name}.epochs or leave these checkpoints out`,
    });
  }
  if (zoo.checkpoints.length === 0) {
    problems.push({
      code: 'no-checkpoint',
      path: [...path, 'checkpoints'],
      message: `the zoo ends at epoch ${zoo.epochs}, before the first checkpoint`,
      hint: `add ${name}.checkpoints`,
    });
  }
  if (zoo.width !== null && ofOneWidth.has(architecture)) {
    problems.push({
      code: 'one-width',
      path: [...path, 'width'],
      message: `${architecture} has one width only`,
      received: `a width of ${zoo.width}`,
      hint: `set ${name}.width to null for this architecture`,
    });
  }
  const models = Object.values(zoo.vary).reduce(
    (all, values) => all * (values as unknown[]).length,
    zoo.models,
  );
  const [train, val] = zoo.split.map((share) => Math.floor(share * models + 1e-9)) as [
    number,
    number,
    number,
  ];
  if (train < 1 || val < 1 || models - train - val < 1) {
    problems.push({
      code: 'small-zoo',
      path: [...path, 'models'],
      message: 'every split needs at least one model',
      received: `${models} models: ${train} train, ${val} validation, ${models - train - val} test`,
      hint: `raise ${name}.models`,
    });
  }
  return problems;
}

/** Epochs that the zoo of these prompts, which is set at `zooPath`, does not keep, and more samples than candidates. */
function checkGeneration(
  { dataset, settings: { zoo, generation } }: Models,
  zooPath: readonly string[],
  given: ReadonlySet<string>,
): RunProblem[] {
  const problems: RunProblem[] = [];
  const list = `${zooPath.join('.')}.checkpoints`;
  const keeps = `the zoo keeps the epochs ${zoo.checkpoints.join(', ')}`;
  const { prompt_epoch: prompt, target_dataset: target, methods, epochs, samples, candidates } = generation;
  if (prompt !== null && !zoo.checkpoints.includes(prompt)) {
    problems.push({
      code: 'missing-checkpoint',
      path: ['generation', 'prompt_epoch'],
      message: keeps,
      received: `epoch ${prompt}`,
      hint: `add it to ${list}`,
    });
  }
  const missing = epochs.filter((epoch) => epoch > 0 && !zoo.checkpoints.includes(epoch));
  const home = generation.prompt_zoo === null && (target === null || target === dataset);
  const measuresZoo = methods.includes('scratch') && home;
  if (measuresZoo && missing.length > 0 && given.has('generation.epochs')) {
    problems.push({
      code: 'missing-checkpoint',
      path: ['generation', 'epochs'],
      message: `${keeps}, whose models are what scratch measures`,
      received: `epochs ${missing.join(', ')}`,
      hint: `add them to ${list}, or take scratch out of generation.methods`,
    });
  }
  if (samples > candidates) {
    problems.push({
      code: 'few-candidates',
      path: ['generation', 'samples'],
      message: 'samples are chosen among the candidates',
      received: `${samples} samples of ${candidates} candidates`,
      hint: 'raise generation.candidates',
    });
  }
  return problems;
}

/** Networks that are to be measured on images with other channels than those they see. The zoo of the prompts is set at `zooPath`. */
function checkChannels(
  run: Models,
  zooPath: readonly string[],
  folders: ReadonlyMap<string, Folder>,
): RunProblem[] {
  const channels = (dataset: Dataset, { grey }: DataSettings) => (grey || greyDatasets.has(dataset) ? 1 : 3);
  /** Of the networks, which in other people's files are not known, and of the images; data.grey may be another than the run's. */
  const both = (grey: boolean) => {
    const data = { ...run.settings.data, grey };
    const { architecture, dataset, settings } = promptsOf({ ...run, settings: { ...run.settings, data } });
    const target = settings.generation.target_dataset ?? dataset;
    const folder = settings.zoo.import;
    return {
      target,
      networks: folder === null ? channels(dataset, settings.data) : folders.get(folder)?.channels,
      images: channels(target, dataSettingsFor(data, run, { architecture, dataset: target })),
    };
  };
  const { target, networks, images } = both(run.settings.data.grey);
  if (networks === undefined || networks === images) return [];
  const mended = [true, false].find((grey) => {
    const other = both(grey);
    return other.networks === other.images;
  });
  const count = (n: number) => (n === 1 ? '1 channel' : `${n} channels`);
  const isMoved = run.settings.generation.target_dataset !== null;
  return [
    {
      code: 'other-channels',
      path: isMoved ? ['generation', 'target_dataset'] : [...zooPath, 'import'],
      message: `the prompts' networks see images of ${count(networks)}, those of ${target} have ${count(images)} here`,
      hint:
        mended === undefined
          ? `choose a data set whose images have ${count(networks)}`
          : `set data.grey to ${mended}`,
    },
  ];
}
