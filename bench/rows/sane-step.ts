/** A pretraining step of SANE: 16 windows in two views forward and backward through encoder, decoder and both losses; AdamW. */
import { AdamW } from '../../src/engine/optimizers.ts';
import { Random } from '../../src/engine/random.ts';
import { tf } from '../../src/engine/tf.ts';
import { Sane } from '../../src/sane/model.ts';
import { batchGradients } from '../../src/sane/pretrain.ts';
import { drawViews } from '../../src/sane/views.ts';
import { pretrainingOperations } from '../operations.ts';
import type { Row, Variant } from '../row.ts';
import { architecture, layout, models, saneSettings, shapeOf } from './sane-settings.ts';

/** Needs a C++ compiler and Python's headers, and most of a minute in its first turn. */
const compiled: Variant = { name: 'PyTorch, torch.compile', informative: true };

/** The row of one width on one device. */
export function saneStep(width: number, device: Row['device'], wanted: number, stepsPerTurn: number): Row {
  const settings = saneSettings(width);
  const shape = shapeOf(width);
  const rows = 2 * settings.batch_size;
  const { layers, heads, gamma, temperature, learning_rate, weight_decay } = settings;
  return {
    name: `sane-step-${width}${device === 'native' ? '' : `-${device}`}`,
    description: `a SANE pretraining step, d_model ${width}, token 289, window 64, batch 16 x 2 views, ${layers}+${layers} layers`,
    ...{ device, wanted, stepsPerTurn },
    operations: pretrainingOperations(shape, rows),
    other: {
      script: 'sane_step.py',
      config: { layers, heads, gamma, temperature, learning_rate, weight_decay },
      variants: [{ name: 'PyTorch' }, ...(device === 'native' ? [compiled] : [])],
    },
    async setup() {
      const sane = new Sane(shape, settings.seed);
      const { trainable } = sane;
      const tensors = await sane.weights();
      const data = models(settings.batch_size);
      const views = drawViews(architecture, layout, data, settings, new Random(0, 'bench', 'views'));
      const { tokens, mask, positions, window } = views;
      const batch = [rows, window, settings.token_size];
      tensors.push(
        { name: 'input.tokens', shape: batch, data: tokens },
        { name: 'input.mask', shape: batch, data: mask },
        { name: 'input.positions', shape: [rows, window, 3], data: positions },
      );
      const optimizer = new AdamW(trainable, { weightDecay: weight_decay });
      let losses: number[] = [];
      const step = () => {
        tf.tidy(() => {
          const { gradients, parts } = batchGradients(sane, views, settings);
          losses = [...parts.dataSync()];
          parts.dispose();
          const named = trainable.map(({ name }, i) => [name, gradients[i] as tf.Tensor]);
          optimizer.step(Object.fromEntries(named), { learningRate: learning_rate });
        });
      };
      return { tensors, step, values: () => losses };
    },
  };
}
