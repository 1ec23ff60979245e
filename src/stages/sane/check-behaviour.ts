/** Mistakes in the settings of a pretraining that compares the answers of networks (sane.beta below 1). */
import { sizeOf } from '../../base/shape.ts';
import type { ArchitectureDescription } from '../../experiment/catalogue.ts';
import type { CheckContext, PlannedRun, SettingProblem } from '../../experiment/stage-plan.ts';
import type { SaneSettings } from '../../experiment/types.ts';
import { zoosOf } from '../zoos.ts';

/** Whether networks are decoded and asked while SANE is trained. */
export const asksNetworks = ({ beta }: Pick<SaneSettings, 'beta'>): boolean => beta !== null && beta < 1;

const turnOff = 'set sane.beta to null or 1';

/** What stands in the way of computing decoded networks. */
export function checkBehaviour(
  run: PlannedRun,
  { catalogue, folders, paper }: CheckContext,
): SettingProblem[] {
  const { sane, zoo } = run.settings;
  if (!asksNetworks(sane)) return [];
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
  const network = networkOf(run, catalogue);
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

type Network = ReturnType<ArchitectureDescription['build']>;

/** Tokens of a network without batch normalisation: as many as its layout has, which planning does not compute. */
export function tokensOf({ state }: Pick<Network, 'state'>, tokenSize: number): number {
  const names = new Set(state.map(({ name }) => name));
  const weights = state.filter(({ name }) => name.endsWith('weight'));
  return weights.reduce((sum, { name, shape }) => {
    const rows = shape[0] as number;
    const bias = names.has(name.replace(/weight$/, 'bias')) ? 1 : 0;
    return sum + rows * Math.ceil((sizeOf(shape) / rows + bias) / tokenSize);
  }, 0);
}

/** The networks of the run's zoo; undefined where the architecture does not take its images, which its zoo reports. */
function networkOf(
  { architecture, dataset, settings: { data, zoo } }: PlannedRun,
  { architectures, datasets }: CheckContext['catalogue'],
): Network | undefined {
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
