/** Stage `sane`: pretrains SANE on a zoo. Its state is kept now and then, and an interrupted pretraining goes on from there. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openSafetensors, writeSafetensors } from '../engine/safetensors.ts';
import type { StageImplementation } from '../engine/stage.ts';
import { openZoo } from '../zoo/zoo.ts';
import { saveSane, writeJson } from './checkpoint.ts';
import { Sane } from './model.ts';
import type { SaneShape } from './parameters.ts';
import { type EpochLosses, type PretrainConfig, type PretrainState, pretrain } from './pretrain.ts';
import { loadSamples, standardizeSamples } from './samples.ts';
import { type TokenLayout, tokenLayout } from './tokenize.ts';

/** How long a training may go on before its state is kept again. */
const saveEveryMs = 20_000;

const stateName = 'training.safetensors';

/** The model's sizes for a zoo's tokens: its position tables hold just the positions that there are. */
export function saneShape(layout: TokenLayout, config: PretrainConfig): SaneShape {
  const { token_size, d_model, latent_dim, layers, heads, projection_dim } = config;
  const largest = [0, 0, 0];
  for (const [i, p] of layout.positions.entries()) largest[i % 3] = Math.max(largest[i % 3] as number, p);
  const positions = largest.map((p, i) => Math.max(p + 1, config.positions?.[i] ?? 0)) as [
    number,
    number,
    number,
  ];
  const window = Math.min(config.window, layout.tokens);
  return { token_size, d_model, latent_dim, layers, heads, projection_dim, window, positions };
}

/** Keeps weights, optimizer and history in one file, so that they belong together. */
async function saveState(dir: string, sane: Sane, state: PretrainState): Promise<void> {
  const weights = sane.weights().map((tensor) => ({ ...tensor, name: `model/${tensor.name}` }));
  const averages = Object.entries(state.optimizer.averages).map(([name, data]) => ({
    name: `optimizer/${name}`,
    shape: [data.length],
    data,
  }));
  await writeSafetensors(join(dir, stateName), [...weights, ...averages], {
    steps: String(state.optimizer.steps),
    history: JSON.stringify(state.history),
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
    const history = JSON.parse(file.metadata.history as string) as EpochLosses[];
    return { weights, state: { history, optimizer: { steps: Number(file.metadata.steps), averages } } };
  } finally {
    await file.close();
  }
}

export const saneStage: StageImplementation = {
  usesDevice: true,

  async execute({ config: json, inputs, dir, report }) {
    const config = json as unknown as PretrainConfig;
    const zoo = await openZoo(inputs.zoo as string);
    const layout = tokenLayout(zoo.architecture, config.token_size, config.batch_norm_tokens);
    const raw = await loadSamples(zoo, config.epochs_used, inputs.alignment);
    const { samples, standardization } = standardizeSamples(config.standardization, layout, raw);
    const shape = saneShape(layout, config);
    const saved = await loadState(dir);
    const sane = new Sane(shape, saved?.weights ?? config.seed);
    const data = {
      architecture: zoo.architecture,
      layout,
      train: samples.train.map(({ flat }) => flat),
      val: samples.val.map(({ flat }) => flat),
    };
    let lastSave = performance.now();
    const history = await pretrain(sane, data, config, {
      resume: saved?.state,
      report,
      onEpoch: async (state, last) => {
        if (last || performance.now() - lastSave < saveEveryMs) return;
        await saveState(dir, sane, await state());
        lastSave = performance.now();
      },
    });
    await writeJson(join(dir, 'history.json'), history);
    const description = {
      architecture: zoo.architecture.name,
      shape,
      batch_norm_tokens: config.batch_norm_tokens,
      standardization: config.standardization,
      epochs: [...(config.epochs_used ?? zoo.manifest.epochs)].sort((a, b) => a - b),
    };
    await saveSane(dir, sane, description, standardization);
    sane.dispose();
    await rm(join(dir, stateName), { force: true });
  },
};
