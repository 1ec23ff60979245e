/** A pretraining step of SANE: windows in two views forward and backward through encoder, decoder and both losses; AdamW. */

import { Random } from '../../src/base/random.ts';
import { Sane } from '../../src/sane/model.ts';
import type { SaneShape } from '../../src/sane/parameters.ts';
import { batchGradients, type PretrainConfig } from '../../src/sane/pretrain.ts';
import { drawViews, type TwoViews } from '../../src/sane/views.ts';
import { pretrainingOperations } from '../../src/stages/operations.ts';
import { AdamW } from '../../src/tensor/optimizers.ts';
import { tf } from '../../src/tensor/tf.ts';
import type { Row, Variant } from '../row.ts';
import { architecture, layout, models, saneSettings, shapeOf } from './sane-settings.ts';

/** Needs a C++ compiler and Python's headers, and most of a minute in its first turn. */
const compiled: Variant = { name: 'PyTorch, torch.compile', informative: true };

/** The row of one width on one device. */
export function saneStep(width: number, device: Row['device'], wanted: number, stepsPerTurn: number): Row {
  const settings = saneSettings(width);
  const name = `sane-step-${width}${device === 'native' ? '' : `-${device}`}`;
  const variants = [{ name: 'PyTorch' }, ...(device === 'native' ? [compiled] : [])] as const;
  return saneStepRow({ name, device, wanted, stepsPerTurn, variants }, settings, shapeOf(width), () => {
    const data = models(settings.batch_size).map((flat, i) => ({
      origin: { architecture, layout },
      standardization: null,
      name: `model ${i}`,
      permutations: new Map<string, Int32Array>(),
      gather: (places: Int32Array, out: Float32Array) =>
        out.set(Float32Array.from(places, (place) => flat[place] ?? 0)),
    }));
    const random = new Random(0, 'bench', 'views');
    return drawViews(data, settings, random);
  });
}

type Choices = Pick<Row, 'name' | 'device' | 'wanted' | 'stepsPerTurn'> & {
  variants: readonly [Variant, ...Variant[]];
};

/** The row of any settings, on the batch that `draw` makes. */
export function saneStepRow(
  { variants, ...row }: Choices,
  settings: PretrainConfig,
  shape: SaneShape,
  draw: () => TwoViews,
): Row {
  const { layers, heads, gamma, temperature, padding_in_loss } = settings;
  const { learning_rate, weight_decay, batch_size, d_model } = settings;
  const rows = 2 * batch_size;
  return {
    ...row,
    description:
      `a SANE pretraining step, d_model ${d_model}, token ${settings.token_size}, window ${shape.window}, ` +
      `batch ${batch_size} x 2 views, ${layers}+${layers} layers`,
    operations: pretrainingOperations(shape, rows),
    other: {
      script: 'sane_step.py',
      config: { layers, heads, gamma, temperature, padding_in_loss, learning_rate, weight_decay },
      variants,
    },
    async setup() {
      const sane = new Sane(shape, settings.seed);
      const { trainable } = sane;
      const tensors = await sane.weights();
      const views = draw();
      const { tokens, mask, positions, window } = views;
      const batch = [rows, window, settings.token_size];
      tensors.push(
        { name: 'input.tokens', shape: batch, data: tokens },
        { name: 'input.mask', shape: batch, data: mask },
        { name: 'input.positions', shape: [rows, window, 3], data: positions },
      );
      const optimizer = new AdamW(trainable, { weightDecay: weight_decay });
      let losses = tf.zeros([4]);
      const step = () => {
        tf.tidy(() => {
          const { gradients, parts } = batchGradients(sane, { views }, settings);
          losses.dispose();
          losses = parts;
          const named = trainable.map(({ name }, i) => [name, gradients[i] as tf.Tensor]);
          optimizer.step(Object.fromEntries(named), { learningRate: learning_rate });
        });
      };
      return {
        tensors,
        step,
        finish: async () => void (await losses.data()),
        // Total, reconstruction and contrast; the behaviour loss is not in this step.
        values: async () => [...(await losses.data()).slice(0, 3)],
      };
    },
  };
}
