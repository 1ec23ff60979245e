/** Mistakes in the settings of a run of task `generation`, and of the zoo that its prompts come from. */
import type { CheckContext, PlannedRun, SettingProblem } from '../../experiment/stage-plan.ts';
import { networkOfRun } from '../checks.ts';
import { networkBytes } from '../cost.ts';
import { checkImages } from '../dataset/check.ts';
import { dataSettingsFor } from '../dataset/plan.ts';
import { checkZoo } from '../zoo/check.ts';
import { checkFolders } from '../zoo-import/plan.ts';
import { checkChannels } from './check-channels.ts';
import { type Prompts, promptsOf } from './prompts.ts';

/** More weights than a network may have whose rows an autoencoder sees all at once. */
const mostWholeWeights = 20_000;

/** Fewer prompts have no spread in more than one direction. */
const leastFlowPrompts = 3;

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
    ...checkAverages(prompts),
    ...checkFlow(prompts),
    ...(isTask ? checkGoal(run, prompts, context) : []),
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

/** Fewer images than asked for of what the generated networks are for, or of what their prompts were trained on. */
function checkGoal(run: PlannedRun, prompts: Prompts, context: CheckContext): SettingProblem[] {
  const { data, generation, zoo } = prompts.settings;
  const dataset = generation.target_dataset ?? prompts.dataset;
  const goal = { architecture: prompts.architecture, dataset };
  return [
    ...(zoo.import === null ? checkImages(prompts.dataset, data, context) : []),
    ...checkImages(dataset, dataSettingsFor(run.settings.data, run, goal, context.paper), context),
  ];
}

/** Networks too large for the hyper-representation. */
function checkWholeNetworks(run: PlannedRun, { catalogue }: CheckContext): SettingProblem[] {
  if (!run.settings.generation.methods.includes('hyper-representation')) return [];
  const network = networkOfRun(run, catalogue);
  if (!network || networkBytes(network) / 4 <= mostWholeWeights) return [];
  return [
    {
      code: 'large-network',
      path: ['generation', 'methods'],
      message:
        'hyper-representation encodes all weights of a network in one sequence, which is feasible for small networks only',
      received: `architecture ${run.architecture}`,
      hint: 'leave hyper-representation out for this architecture, by an entry of overrides',
    },
  ];
}

/** Epochs that the zoo of these prompts, which is set at `zooPath`, does not keep. */
function checkEpochs(
  { dataset, settings: { zoo, generation } }: Prompts,
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
function checkCandidates({ settings: { generation } }: Prompts): SettingProblem[] {
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

/** Means of more prompts than there are. */
function checkAverages({ settings: { generation } }: Prompts): SettingProblem[] {
  const { methods, averaged, prompt_count: prompts } = generation;
  if (!methods.includes('average') || prompts === null || averaged <= prompts) return [];
  return [
    {
      code: 'few-prompts',
      path: ['generation', 'averaged'],
      message: `a mean is of different prompts, and there ${prompts === 1 ? 'is 1' : `are ${prompts}`}`,
      received: `averaged ${averaged}`,
      hint: 'lower it, raise generation.prompt_count, or take average out of generation.methods',
    },
  ];
}

/** A flow over hardly any networks. How many a zoo has that is not trained here, its run says. */
function checkFlow({ settings: { generation } }: Prompts): SettingProblem[] {
  const { methods, prompt_count: prompts } = generation;
  if (!methods.includes('flow') || prompts === null || prompts >= leastFlowPrompts) return [];
  return [
    {
      code: 'few-prompts',
      path: ['generation', 'methods'],
      message: `flow learns how prompts differ, and there ${prompts === 1 ? 'is 1' : `are ${prompts}`}`,
      received: `prompt_count ${prompts}`,
      hint: `raise generation.prompt_count to at least ${leastFlowPrompts}, or take flow out of generation.methods`,
    },
  ];
}

/** Prompts of several activations. */
function checkActivations({ settings: { zoo } }: Prompts, path: readonly string[]): SettingProblem[] {
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
