/** What is predicted of networks. */
import type { PropertyPredictionSettings } from '../../experiment/types.ts';
import type { Sample, Samples } from '../../sane/zoo-samples.ts';
import type { Split } from '../../zoo/members.ts';
import type { TargetValues } from './probe.ts';

export type Target = PropertyPredictionSettings['targets'][number];
/** Absent where no target needs it. */
type Gap = PropertyPredictionSettings['gap'] | undefined;

/** What decides the numbers that are predicted. */
export interface TargetSettings {
  targets: readonly Target[];
  gap?: Gap;
}

/**
 * The training accuracy that the generalisation gap is taken from. Running: that of the epoch while the weights moved, as the authors'
 * zoos log it; at epoch 0, in which nothing is trained, theirs is the evaluated one, and so it is here. Throws where the zoo does not
 * say the one asked for: the other would be another target.
 */
function trainAccuracyOf({ model, checkpoint }: Sample, gap: Gap): number {
  const evaluated = gap === 'evaluated' || checkpoint.epoch === 0;
  const accuracy = evaluated ? checkpoint.train_accuracy : checkpoint.running_train_accuracy;
  if (accuracy !== null) return accuracy;
  const missing = evaluated ? 'train_accuracy' : 'running_train_accuracy';
  const other = gap === 'evaluated' ? 'running' : 'evaluated';
  throw new Error(
    `${model.id} has no ${missing} at epoch ${checkpoint.epoch}, which ggap needs: set property_prediction.gap to ${other}, take ggap out of property_prediction.targets, or train or import the zoo again with that number`,
  );
}

/** The number to be predicted. The generalisation gap is training accuracy less test accuracy. */
export function targetOf(sample: Sample, target: Target, gap: Gap): number {
  const { checkpoint } = sample;
  switch (target) {
    case 'test-accuracy':
      return checkpoint.test_accuracy;
    case 'epoch':
      return checkpoint.epoch;
    case 'ggap':
      return trainAccuracyOf(sample, gap) - checkpoint.test_accuracy;
  }
}

/** The targets of a split. Throws if they are all the same, because R² has no meaning then. */
function valuesOf(samples: Samples, split: Split, target: Target, gap: Gap): Float64Array {
  const values = Float64Array.from(samples[split], (sample) => targetOf(sample, target, gap));
  if (values.every((value) => value === values[0])) {
    throw new Error(
      `${target} is ${values[0]} in every ${split} checkpoint, so R² is undefined: use more models or epochs, or take ${target} out of property_prediction.targets`,
    );
  }
  return values;
}

/** The targets of all samples. Throws as `valuesOf` does. */
export const targetsOf = (samples: Samples, { targets, gap }: TargetSettings): Map<Target, TargetValues> =>
  new Map(
    targets.map((target) => {
      const of = (split: Split) => valuesOf(samples, split, target, gap);
      return [target, { train: of('train'), val: of('val'), test: of('test') }];
    }),
  );
