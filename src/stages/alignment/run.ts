/** Stage `alignment`: finds the permutations of the models that have none yet, then sums up. One part aligns every n-th model. */
import { join } from 'node:path';
import { makeFolder, writeJson } from '../../base/files.ts';
import { Random } from '../../base/random.ts';
import { withLayers } from '../../nets/registry.ts';
import {
  type AlignmentSummary,
  chooseReference,
  type LastCheckpoint,
  lastCheckpoints,
  permutationsFile,
  readPermutations,
  summaryName,
  writePermutations,
} from '../../sane/alignment.ts';
import { WeightMatching } from '../../sane/weight-matching.ts';
import { openZoo } from '../../zoo/zoo.ts';
import type { StageContext, StageImplementation } from '../stage.ts';

/** Config of stage `alignment`. */
interface AlignmentConfig {
  /** Of the orders in which the groups of units are visited. */
  seed: number;
  /** How many of these are tried. */
  orders: number;
}

/** Aligns those of the zoo's models that are `mine` and whose file is not there yet. */
async function alignMissing(
  { config, inputs, dir, report }: StageContext,
  mine: (index: number) => boolean,
): Promise<void> {
  const { seed, orders } = config as unknown as AlignmentConfig;
  const zoo = await openZoo(inputs.zoo as string);
  const wanted = lastCheckpoints(zoo.manifest).filter((_, i) => mine(i));
  const missing: LastCheckpoint[] = [];
  for (const one of wanted)
    if (!(await Bun.file(permutationsFile(dir, one.model.id)).exists())) missing.push(one);
  if (missing.length === 0) return;
  await makeFolder(join(dir, 'permutations'));

  const reference = chooseReference(zoo.manifest);
  const architecture = withLayers(zoo.architecture, 'alignment');
  const matching = new WeightMatching(architecture, await zoo.weights(reference.model, reference.epoch));
  for (const [i, { model, epoch }] of missing.entries()) {
    const found = await matching.match(
      await zoo.weights(model, epoch),
      new Random(seed, 'alignment', model.id),
      orders,
    );
    await writePermutations(dir, model.id, found);
    report({
      done: wanted.length - missing.length + i + 1,
      total: wanted.length,
      unit: 'models',
      metric: { name: 'distance', value: found.distance },
    });
  }
  matching.dispose();
}

export const alignmentStage: StageImplementation = {
  executePart: (context, part, parts) => alignMissing(context, (i) => i % parts === part),

  async execute(context) {
    await alignMissing(context, () => true);
    const { manifest } = await openZoo(context.inputs.zoo as string);
    const { model, epoch } = chooseReference(manifest);
    const { orders } = context.config as unknown as AlignmentConfig;
    const summary: AlignmentSummary = { reference: { model: model.id, epoch }, orders, models: [] };
    for (const { model } of lastCheckpoints(manifest)) {
      summary.models.push((await readPermutations(context.dir, model.id)).description);
    }
    await writeJson(join(context.dir, summaryName), summary);
  },
};
