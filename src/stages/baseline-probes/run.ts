/** Stage `baseline-probes` (section 5.1): probes from the weights, or their statistics, to properties of the models. */
import { findSamples } from '../../sane/zoo-samples.ts';
import { openZoo } from '../../zoo/zoo.ts';
import { describeProbes, testedOf } from '../property-prediction/records.ts';
import { type TargetSettings, targetsOf } from '../property-prediction/targets.ts';
import type { StageImplementation } from '../stage.ts';
import { type Reading, statisticsFeatures, weightFeatures } from './features.ts';
import type { BaselineFeature } from './plan.ts';
import { writeProbes } from './probes.ts';

interface Config extends TargetSettings, Reading {
  feature: BaselineFeature;
  checkpoints: number[] | null;
  ridge_strengths: number[];
  /** Of statistics: whether padding is counted, and how long tokens are then. */
  padding?: boolean;
  token_size?: number;
}

export const baselineProbesStage: StageImplementation = {
  async execute({ config: given, inputs, dir, report }) {
    const config = given as unknown as Config;
    const { feature, ridge_strengths: strengths } = config;
    const zoo = await openZoo(inputs.zoo as string);
    const samples = await findSamples(zoo, config.checkpoints, inputs.alignment);
    const targets = targetsOf(samples, config);
    const features =
      feature === 'weights'
        ? weightFeatures(zoo, samples, config)
        : statisticsFeatures(zoo, samples, config, config.padding ? config.token_size : undefined);
    const { records, predictions } = describeProbes(
      feature,
      features,
      targets,
      { strengths, seeded: false },
      report,
    );
    await writeProbes(dir, { tested: testedOf(samples), records, predictions });
  },
};
