/** Pretraining in an artefact's folder: its state is saved regularly, and an interrupted one resumes from it. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Report } from '../base/progress.ts';
import { openSafetensors, writeSafetensors } from '../base/safetensors.ts';
import type { Autoencoder } from './autoencoder.ts';
import type { BehaviourLoss } from './behaviour.ts';
import { writeHistory } from './checkpoint.ts';
import { type EpochLosses, type PretrainConfig, type PretrainState, pretrain } from './pretrain.ts';
import type { ViewLoader } from './view-loader.ts';

/** Time between two saves of a training's state. */
const saveEveryMs = 20_000;

const stateName = 'training.safetensors';

/** Keeps weights, optimizer and history in one file, so that they belong together. */
async function saveState(dir: string, model: Autoencoder, state: PretrainState): Promise<void> {
  const weights = (await model.weights()).map((tensor) => ({ ...tensor, name: `model/${tensor.name}` }));
  const averages = Object.entries(state.optimizer.averages).map(([name, data]) => ({
    name: `optimizer/${name}`,
    shape: [data.length],
    data,
  }));
  await writeSafetensors(join(dir, stateName), [...weights, ...averages], {
    steps: String(state.optimizer.steps),
    history: JSON.stringify(state.history),
    ...(state.scales && { scales: JSON.stringify(state.scales) }),
  });
}

/** The state that an interrupted training left, or undefined. */
async function loadState(
  dir: string,
): Promise<{ weights: Map<string, Float32Array>; state: PretrainState } | undefined> {
  const path = join(dir, stateName);
  if (!(await Bun.file(path).exists())) return undefined;
  const file = await openSafetensors(path);
  try {
    const weights = new Map<string, Float32Array>();
    const averages: Record<string, Float32Array> = {};
    for (const name of file.names) {
      const [kind, ...rest] = name.split('/');
      const values = await file.readFloats(name);
      if (kind === 'model') weights.set(rest.join('/'), values);
      else averages[rest.join('/')] = values;
    }
    const history = file.json('history') as EpochLosses[];
    const scales =
      file.metadata.scales === undefined ? undefined : (file.json('scales') as PretrainState['scales']);
    return {
      weights,
      state: { history, optimizer: { steps: Number(file.metadata.steps), averages }, scales },
    };
  } finally {
    await file.close();
  }
}

/**
 * Pretrains a model in a stage's folder: `create` makes it of the weights of an interrupted training or of the seed, and `save`
 * keeps it when it is done. The losses of the epochs become `history.json`. `stateEveryMs`: how seldom the state is kept, at most.
 * `behaviour` is given where, and only where, config.beta is below 1.
 */
export async function pretrainInFolder<Model extends Autoencoder>(
  { dir, report }: { dir: string; report: Report },
  loader: ViewLoader,
  config: PretrainConfig,
  create: (weights: ReadonlyMap<string, Float32Array> | number) => Model,
  save: (model: Model) => Promise<void>,
  {
    behaviour,
    stateEveryMs = saveEveryMs,
  }: { behaviour?: BehaviourLoss | undefined; stateEveryMs?: number } = {},
): Promise<void> {
  const saved = await loadState(dir);
  const model = create(saved?.weights ?? config.seed);
  let lastSave = performance.now();
  const history = await pretrain(model, loader, config, {
    resume: saved?.state,
    behaviour,
    report,
    onEpoch: async (state, last) => {
      if (last || performance.now() - lastSave < stateEveryMs) return;
      await saveState(dir, model, await state());
      lastSave = performance.now();
    },
  });
  await writeHistory(dir, history);
  await save(model);
  model.dispose();
  await rm(join(dir, stateName), { force: true });
}
