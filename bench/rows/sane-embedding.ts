/** Embeddings of 64 models of 93 tokens: flat weights to tokens, windows with context on both sides, encoder, mean over tokens. */
import { embedModels, meanEmbedding } from '../../src/sane/embed.ts';
import { Sane } from '../../src/sane/model.ts';
import { snippets } from '../../src/sane/windows.ts';
import { encoderOperations } from '../../src/stages/operations.ts';
import type { Row } from '../row.ts';
import { layout, models, saneSettings, shapeOf } from './sane-settings.ts';

const count = 64;
const shape = shapeOf(256);
const { layers, heads, window, latent_dim } = shape;
const plan = snippets(layout.tokens, window, window / 4);

export const saneEmbedding: Row = {
  name: 'sane-embedding',
  description: `SANE embeddings of ${count} models of ${layout.tokens} tokens, d_model ${shape.d_model}`,
  ...{ device: 'native', wanted: 1.6, stepsPerTurn: 1 },
  operations: encoderOperations(shape, count * plan.length),
  other: {
    script: 'sane_embedding.py',
    config: { layers, heads, window, snippets: plan.map(({ start, keep }) => [start, ...keep]) },
    variants: [{ name: 'PyTorch, one batch' }, { name: 'PyTorch, batches of 32' }],
  },
  async setup() {
    const sane = new Sane(shape, saneSettings(shape.d_model).seed);
    const data = models(count);
    const flat = new Float32Array(count * layout.numbers);
    for (const [i, model] of data.entries()) flat.set(model, i * layout.numbers);
    let means: Float64Array[] = [];
    return {
      tensors: [
        ...(await sane.weights()),
        { name: 'input.models', shape: [count, layout.numbers], data: flat },
        { name: 'input.source', shape: [layout.tokens, layout.tokenSize], data: layout.source },
        { name: 'input.positions', shape: [layout.tokens, 3], data: layout.positions },
      ],
      async step() {
        means = await Array.fromAsync(embedModels(sane, layout, data), (z) => meanEmbedding(z, latent_dim));
      },
      values: () => means.flatMap((mean) => [...mean]),
    };
  },
};
