/** Mistakes in the settings of a pretraining that compares the answers of networks (sane.beta below 1). */
import type { CheckContext, PlannedRun, SettingProblem } from '../../experiment/stage-plan.ts';
import type { SaneSettings } from '../../experiment/types.ts';
import { networkOfRun } from '../checks.ts';
import { tokensOf } from '../cost.ts';
import { checkImages } from '../dataset/check.ts';
import { zoosOf } from '../zoos.ts';

/** Whether networks are decoded and asked while SANE is trained. */
export const asksNetworks = ({ beta }: Pick<SaneSettings, 'beta'>): boolean => beta !== null && beta < 1;

const turnOff = 'set sane.beta to null or 1';

/** What stands in the way of computing decoded networks. */
export function checkBehaviour(run: PlannedRun, context: CheckContext): SettingProblem[] {
  const { sane, data } = run.settings;
  if (!asksNetworks(sane)) return [];
  return [...checkImages(run.dataset, data, context), ...checkNetworks(run, context)];
}

function checkNetworks(run: PlannedRun, { catalogue, folders, paper }: CheckContext): SettingProblem[] {
  const { sane, zoo } = run.settings;
  const problem = (code: string, setting: string, rest: Omit<SettingProblem, 'code' | 'path'>) => [
    { code, path: ['sane', setting], ...rest },
  ];
  const zoos = zoosOf(run, (path) => folders.get(path), paper);
  if (zoos.length > 1) {
    return problem('several-zoos', 'beta', {
      message: 'the behaviour loss asks the networks of one zoo about its images',
      received: `${zoos.length} zoos`,
      hint: `${turnOff}, or name one zoo`,
    });
  }
  const { architecture } = zoos[0] as (typeof zoos)[number];
  if (catalogue.architectures[architecture]?.opaque) {
    return problem('no-layers', 'beta', {
      message: `the behaviour loss computes networks, and of ${architecture} only the tensors are known`,
      hint: `${turnOff}, or write the layers under architectures`,
    });
  }
  const activations = zoo.import === null ? (zoo.vary.activation ?? []) : [];
  if (activations.length > 1) {
    return problem('mixed-activations', 'beta', {
      message: 'the behaviour loss computes all networks of a batch with one activation',
      received: `activations ${activations.join(', ')}`,
      hint: `${turnOff}, or leave activation out of zoo.vary`,
    });
  }
  const network = networkOfRun(run, catalogue);
  if (!network) return [];
  if (network.buffers.length > 0) {
    return problem('no-behaviour-of-batch-norm', 'beta', {
      message: `the behaviour loss computes networks without batch normalisation, and ${architecture} has some`,
      hint: turnOff,
    });
  }
  const tokens = tokensOf(network, sane.token_size);
  if (sane.window >= tokens) return [];
  return problem('small-window', 'window', {
    message: `the behaviour loss decodes whole networks, and ${architecture} has ${tokens} tokens of ${sane.token_size}`,
    received: `a window of ${sane.window}`,
    hint: `set sane.window to ${tokens} or more, or sane.beta to null or 1`,
  });
}
