/** How a zoo is used in an experiment, to be copied from the terminal. */
import { resolve } from 'node:path';
import type { Measured } from '../../zoo/import/found.ts';

/** A path as text in braces of YAML: quoted where it is not plain. */
const asYaml = (path: string) => (/^[\w./-]+$/.test(path) ? path : JSON.stringify(path));

/**
 * The lines of YAML. The path is absolute, as experiments lie anywhere. Where accuracies of the running epoch are not known, the
 * generalisation gap is that of the finished weights. `own` is an architecture that the program does not know, and the file with its layers.
 */
export function inExperiment(
  folder: string,
  checkpoints: readonly ({ epoch: number } & Partial<Measured>)[],
  own?: { architecture: string; layers: string },
): string {
  const epochs = [...new Set(checkpoints.map(({ epoch }) => epoch))].sort((a, b) => a - b);
  const evaluated = checkpoints.some((one) => one.epoch > 0 && (one.running_train_accuracy ?? null) === null);
  return [
    'use it in an experiment with',
    ...(own ? [`  architectures: {${own.architecture}: ${asYaml(resolve(own.layers))}}`] : []),
    `  zoo: {import: ${asYaml(resolve(folder))}, checkpoints: [${epochs.join(', ')}]}`,
    ...(evaluated ? ['  property_prediction: {gap: evaluated}'] : []),
  ].join('\n');
}
