/** Mistakes in the settings of a run of task `generation`, and of the zoo that its prompts come from. */
import type { CheckContext, Models, PlannedRun, SettingProblem } from '../../experiment/stage-plan.ts';
import { checkZoo } from '../zoo/check.ts';
import { checkFolders } from '../zoo-import/plan.ts';
import { checkChannels } from './check-channels.ts';
import { promptsOf } from './prompts.ts';

/** More weights than a network may have whose rows an autoencoder sees all at once. */
const mostWholeWeights = 20_000;

export function checkGeneration(run: PlannedRun, context: CheckContext): SettingProblem[] {
  const { generation, zoo } = run.settings;
  const promptPath = generation.prompt_zoo ? ['generation', 'prompt_zoo', 'zoo'] : ['zoo'];
  const prompts = promptsOf(run, context.paper);
  const isTask = run.task === 'generation';
  return [
    ...(isTask ? checkLayers(run, context) : []),
    ...(isTask ? checkWholeNetworks(run, context) : []),
    ...(prompts.settings.zoo !== zoo
      ? [...checkZoo(prompts, promptPath, context), ...checkFolders(prompts, promptPath, context)]
      : []),
    ...checkEpochs(prompts, promptPath, context.given),
    ...checkCandidates(prompts),
    ...(isTask ? checkChannels(run, promptPath, context) : []),
    ...(isTask ? checkActivations(prompts, promptPath) : []),
  ];
}

/** Networks that cannot be computed, as only their tensors are known. */
function checkLayers({ architecture }: PlannedRun, { catalogue }: CheckContext): SettingProblem[] {
  if (!catalogue.architectures[architecture]?.opaque) return [];
  return [
    {
      code: 'no-layers',
      path: ['grid', 'task'],
      message: `generated networks are conditioned and evaluated, and of ${architecture} only the tensors are known`,
      hint: 'write the layers under architectures (`exp arch from-onnx` does), or take `exp sample`, which only writes weights',
    },
  ];
}

/** Networks too large for the hyper-representation. */
function checkWholeNetworks(
  { architecture, dataset, settings }: PlannedRun,
  { catalogue }: CheckContext,
): SettingProblem[] {
  if (!settings.generation.methods.includes('hyper-representation')) return [];
  const weights = weightsOf(architecture, dataset, settings, catalogue);
  if (weights === undefined || weights <= mostWholeWeights) return [];
  return [
    {
      code: 'large-network',
      path: ['generation', 'methods'],
      message:
        'hyper-representation encodes all weights of a network in one sequence, which is feasible for small networks only',
      received: `architecture ${architecture}`,
      hint: 'leave hyper-representation out for this architecture, by an entry of overrides',
    },
  ];
}

/** Numbers in a network of the run's zoo; undefined where the architecture does not take its images, which its zoo reports. */
function weightsOf(
  architecture: string,
  dataset: string,
  { data, zoo }: PlannedRun['settings'],
  { architectures, datasets }: CheckContext['catalogue'],
): number | undefined {
  const [images, network] = [datasets[dataset], architectures[architecture]];
  if (!images || !network) return undefined;
  const [height, width, channels] = images.shape;
  const size = (side: number) => data.resize ?? data.crop ?? side;
  try {
    const { state } = network.build({
      input: [size(height), size(width), data.grey ? 1 : channels],
      classes: images.classes,
      width: zoo.width,
    });
    return state.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  } catch {
    return undefined;
  }
}

/** Epochs that the zoo of these prompts, which is set at `zooPath`, does not keep. */
function checkEpochs(
  { dataset, settings: { zoo, generation } }: Models,
  zooPath: readonly string[],
  given: ReadonlySet<string>,
): SettingProblem[] {
  const problems: SettingProblem[] = [];
  const list = `${zooPath.join('.')}.checkpoints`;
  const keeps = `the zoo keeps the epochs ${zoo.checkpoints.join(', ')}`;
  const { prompt_epoch: prompt, target_dataset: target, methods, epochs } = generation;
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
  return problems;
}

/** More samples than candidates. */
function checkCandidates({ settings: { generation } }: Models): SettingProblem[] {
  const { samples, candidates } = generation;
  if (samples <= candidates) return [];
  return [
    {
      code: 'few-candidates',
      path: ['generation', 'samples'],
      message: 'samples are chosen among the candidates',
      received: `${samples} samples of ${candidates} candidates`,
      hint: 'raise generation.candidates',
    },
  ];
}

/** Prompts of several activations. */
function checkActivations({ settings: { zoo } }: Models, path: readonly string[]): SettingProblem[] {
  const activations = zoo.vary.activation ?? [];
  if (activations.length <= 1 || zoo.import !== null) return [];
  return [
    {
      code: 'mixed-activations',
      path: [...path, 'vary'],
      message: 'networks are drawn among models of one activation',
      received: `activations ${activations.join(', ')}`,
      hint: `leave activation out of ${path.join('.')}.vary for generation, by an entry of overrides`,
    },
  ];
}
