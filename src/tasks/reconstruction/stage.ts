/** Stage `reconstruction` (Appendix A, Table 6): the reconstruction losses of a pretrained SANE. */
import { join } from 'node:path';
import type { StageImplementation } from '../../engine/stage.ts';
import { loadSane, readHistory, writeJson } from '../../sane/checkpoint.ts';
import { evaluate } from '../../sane/evaluate.ts';
import type { EpochLosses, PretrainConfig } from '../../sane/pretrain.ts';
import { loadSamples, standardizeSamples } from '../../sane/samples.ts';
import { tokenLayout } from '../../sane/tokenize.ts';
import { openZoo } from '../../zoo/zoo.ts';
import type { MetricRecord, TaskResult } from '../result.ts';

const record = (value: number, labels: MetricRecord['labels']): MetricRecord => ({
  metric: 'reconstruction-loss',
  ...{ labels, value, seeded: true },
});

/**
 * Records the loss of the last epoch on the training models, in the views and with the noise of the training, and the losses
 * on the test models without noise: as the data set has them (aligned where it is), and in random orders of their units.
 */
export const reconstructionStage: StageImplementation = {
  usesDevice: true,

  async execute({ config: json, inputs, dir, report }) {
    const config = json as unknown as PretrainConfig;
    const zoo = await openZoo(inputs.zoo as string);
    const { sane, standardization } = await loadSane(inputs.sane as string);
    const layout = tokenLayout(zoo.architecture, config.token_size, config.batch_norm_tokens);
    const raw = await loadSamples(zoo, config.epochs_used, inputs.alignment);
    const fitted = standardization ?? undefined;
    const { test } = standardizeSamples(config.standardization, layout, raw, fitted).samples;
    const models = test.map(({ flat }) => flat);

    const { reconstruction } = (await readHistory(inputs.sane as string)).at(-1) as EpochLosses;
    const records = [record(reconstruction, { split: 'train' })];
    for (const view of ['canonical', 'permuted'] as const) {
      const data = { architecture: zoo.architecture, layout, models, view, purpose: 'test' };
      const { loss } = await evaluate(sane, data, config);
      records.push(record(loss, { split: 'test', view }));
      const metric = { name: `test loss, ${view}`, value: loss };
      report({ done: records.length - 1, total: 2, unit: 'views', metric });
    }
    sane.dispose();
    await writeJson(join(dir, 'result.json'), { records } satisfies TaskResult);
  },
};
