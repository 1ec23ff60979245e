/** Stage `reconstruction` (Appendix A, Table 6): the reconstruction losses of a pretrained SANE. */
import { join } from 'node:path';
import { writeJson } from '../../base/files.ts';
import { loadSane, readHistory } from '../../sane/checkpoint.ts';
import { evaluate, evaluationRequests } from '../../sane/evaluate.ts';
import type { EpochLosses, PretrainConfig } from '../../sane/pretrain.ts';
import { tokenLayout } from '../../sane/tokenize.ts';
import { ViewLoader } from '../../sane/view-loader.ts';
import { findSamples, standardizedSets } from '../../sane/zoo-samples.ts';
import { openZoo } from '../../zoo/zoo.ts';
import type { MetricRecord, TaskResult } from '../result.ts';
import type { StageImplementation } from '../stage.ts';

const record = (value: number, labels: MetricRecord['labels']): MetricRecord => ({
  metric: 'reconstruction-loss',
  ...{ labels, value, seeded: true },
});

/**
 * Records the loss of the last epoch on the training models, in the views and with the noise of the training, and the losses
 * on the test models without noise: as the data set has them (aligned where it is), and in random orders of their units.
 */
export const reconstructionStage: StageImplementation = {
  async execute({ config: json, inputs, dir, report }) {
    const { home = 0, ...config } = json as unknown as PretrainConfig & { home?: number };
    const zoo = await openZoo(inputs.zoo as string);
    const { sane, standardizations } = await loadSane(inputs.sane as string);
    const { architecture } = zoo;
    const layout = tokenLayout(architecture, config.token_size, config.batch_norm_tokens);
    const samples = await findSamples(zoo, config.checkpoints, inputs.alignment);
    const fitted = standardizations[home] ?? undefined;
    const sets = standardizedSets(config.standardization, architecture, layout, samples, ['test'], {
      fitted,
    });
    using loader = new ViewLoader([{ origin: { architecture, layout }, sets }]);

    const { reconstruction } = (await readHistory(inputs.sane as string)).at(-1) as EpochLosses;
    const records = [record(reconstruction, { split: 'train' })];
    for (const view of ['canonical', 'permuted'] as const) {
      const held = { set: 'test', samples: samples.test.length, view, purpose: 'test' };
      const drawn = loader.draw(evaluationRequests(sane, held, { ...config, window: sane.shape.window }));
      const { loss } = await evaluate(sane, held, drawn, config);
      records.push(record(loss, { split: 'test', view }));
      const metric = { name: `test loss, ${view}`, value: loss };
      report({ done: records.length - 1, total: 2, unit: 'views', metric });
    }
    sane.dispose();
    await writeJson(join(dir, 'result.json'), { records } satisfies TaskResult);
  },
};
