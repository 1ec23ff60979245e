import { splitSizes } from '../../base/shares.ts';
import { preparationSteps } from '../../data/prepare.ts';
import type { CheckContext, Models, SettingProblem } from '../../experiment/stage-plan.ts';
import { populationSize } from '../work.ts';

/** What is wrong with the zoo of these models, which is set at `path`. */
export function checkZoo(
  models: Models,
  path: readonly string[],
  { catalogue }: Pick<CheckContext, 'catalogue'>,
): SettingProblem[] {
  const {
    architecture,
    settings: { zoo },
  } = models;
  const problems: SettingProblem[] = [];
  const name = path.join('.');
  const late = zoo.checkpoints.filter((epoch) => epoch > zoo.epochs);
  if (late.length > 0 && zoo.import === null) {
    problems.push({
      code: 'late-checkpoint',
      path: [...path, 'checkpoints'],
      message: `the zoo ends at epoch ${zoo.epochs}`,
      received: `epochs ${late.join(', ')}`,
      hint: `raise ${name}.epochs or leave these checkpoints out`,
    });
  }
  if (zoo.width !== null && catalogue.architectures[architecture]?.width === null) {
    problems.push({
      code: 'one-width',
      path: [...path, 'width'],
      message: `${architecture} has a fixed width`,
      received: `a width of ${zoo.width}`,
      hint: `set ${name}.width to null for this architecture`,
    });
  }
  problems.push(...(zoo.import === null ? checkTraining(models, path, catalogue) : []));
  const sum = zoo.split.reduce((total, share) => total + share, 0);
  if (Math.abs(sum - 1) > 1e-8) {
    problems.push({
      code: 'bad-split',
      path: [...path, 'split'],
      message: 'the shares must add up to 1',
      received: `a sum of ${Number(sum.toFixed(6))}`,
    });
    return problems;
  }
  const count = populationSize(zoo);
  const [train, val, test] = splitSizes(count, zoo.split);
  if (train < 1 || val < 1 || test < 1) {
    problems.push({
      code: 'small-zoo',
      path: [...path, 'models'],
      message: 'every split needs at least one model',
      received: `${count} models: ${train} train, ${val} validation, ${test} test`,
      hint: `raise ${name}.models`,
    });
  }
  return problems;
}

/** Architectures that cannot be trained on these images, where the one or the other is the experiment's own. */
function checkTraining(
  { architecture: name, dataset, settings: { data, zoo } }: Models,
  path: readonly string[],
  { architectures, datasets }: CheckContext['catalogue'],
): SettingProblem[] {
  const [architecture, images] = [architectures[name], datasets[dataset]];
  const hint = `set ${path.join('.')}.import to a zoo of such networks, or write their layers under architectures`;
  if (architecture?.opaque) {
    const message = `of ${name} only the tensors are known, which cannot be trained`;
    return [{ code: 'no-layers', path: [...path, 'import'], message, hint }];
  }
  if (!architecture || !images || (architecture.written === undefined && !images.folder)) return [];
  const [height, wide, channels] = images.shape;
  try {
    const input = preparationSteps(dataset, [height, wide, channels], data).shape;
    const width = architecture.width === null ? null : zoo.width;
    architecture.build({ input, classes: images.classes, width });
    return [];
  } catch (error) {
    return [
      {
        code: 'other-images',
        path: architecture.written === undefined ? ['datasets', dataset] : ['architectures', name],
        message: (error as Error).message,
        received: `data set ${dataset}`,
      },
    ];
  }
}
