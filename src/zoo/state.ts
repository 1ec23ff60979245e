/** A population in training on disk, so that an interrupted zoo resumes from its last saved epoch. */
import { openSafetensors, type SafetensorsFile, writeSafetensors } from '../base/safetensors.ts';
import type { StateDict } from '../nets/architecture.ts';
import type { KeptEpoch, TrainingState } from './train.ts';

const prefixes = { weights: 'weights/', optimizer: 'optimizer/', kept: (epoch: number) => `kept/${epoch}/` };

/** Writes the state of these models in training. */
export async function writeTrainingState(
  path: string,
  ids: readonly string[],
  { epoch, weights, optimizer, kept }: TrainingState,
): Promise<void> {
  const flat = (prefix: string, values: Iterable<[string, Float32Array]>) =>
    Array.from(values, ([name, data]) => ({ name: prefix + name, shape: [data.length], data }));
  const tensors = [
    ...flat(prefixes.weights, weights),
    ...flat(prefixes.optimizer, Object.entries(optimizer.averages)),
    ...kept.flatMap((one) => flat(prefixes.kept(one.epoch), one.weights)),
  ];
  const scores = kept.map(({ weights: _, ...rest }) => rest);
  await writeSafetensors(path, tensors, {
    state: JSON.stringify({ ids, epoch, steps: optimizer.steps, kept: scores }),
  });
}

/** The state at `path`, and whose it is. Throws an error naming the file if it is damaged. */
export async function readTrainingState(path: string): Promise<{ ids: string[]; state: TrainingState }> {
  const file = await openSafetensors(path);
  try {
    const { ids, epoch, steps, kept } = file.json('state') as {
      ids: string[];
      epoch: number;
      steps: number;
      kept: Omit<KeptEpoch, 'weights'>[];
    };
    const weights = await readAll(file, prefixes.weights);
    const averages = Object.fromEntries(await readAll(file, prefixes.optimizer));
    const keptEpochs: KeptEpoch[] = [];
    for (const one of kept) {
      keptEpochs.push({ ...one, weights: await readAll(file, prefixes.kept(one.epoch)) });
    }
    return { ids, state: { epoch, weights, optimizer: { steps, averages }, kept: keptEpochs } };
  } finally {
    await file.close();
  }
}

async function readAll(file: SafetensorsFile, prefix: string): Promise<StateDict> {
  const values: StateDict = new Map();
  for (const name of file.names) {
    if (name.startsWith(prefix)) values.set(name.slice(prefix.length), await file.readFloats(name));
  }
  return values;
}
