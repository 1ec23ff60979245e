/** `exp zoo init <folder>`: a zoo.yaml for a folder of checkpoints. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { writeSafely } from '../../base/files.ts';
import { plural } from '../../base/plural.ts';
import { draftList } from '../../zoo/import/draft.ts';
import { listNames } from '../../zoo/import/list.ts';
import { isPublishedZoo } from '../../zoo/import/published.ts';
import { isSmallCnnZoo } from '../../zoo/import/small-cnn-zoo.ts';
import { optionValue, type Request } from '../arguments.ts';
import { print, printError, printJson } from '../output.ts';
import { UsageError } from '../usage.ts';
import { describeDropped } from './dropped.ts';
import { inExperiment } from './in-experiment.ts';

/** Returns the exit code. */
export async function zooInit(request: Request): Promise<number> {
  const [folder] = request.positionals as [string];
  const list = listNames.find((name) => existsSync(join(folder, name)));
  if (list) throw new UsageError(`${join(folder, list)} is there already`, 'remove it to write another');
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new UsageError(`there is no folder ${folder}`, 'exp zoo init <folder of checkpoints>');
  if (isSmallCnnZoo(readdirSync(folder)))
    throw new UsageError(`${folder} needs no list: its metrics.csv is one`, `exp zoo import ${folder}`);
  if (await isPublishedZoo(folder))
    throw new UsageError(
      `${folder} needs no list: its trainings have a result.json`,
      `exp zoo import ${folder}`,
    );
  const { entries, dropped, takenForTest } = await draftList(folder, {
    key: optionValue(request, 'key'),
    table: optionValue(request, 'csv'),
  });
  const path = join(folder, 'zoo.yaml');
  const dataset = optionValue(request, 'dataset');
  await writeSafely(path, yamlOf(entries, dataset, optionValue(request, 'key')));
  const models = new Set(entries.map(({ model }) => model)).size;
  if (request.switches.has('json')) {
    printJson({ event: 'list', path, models, checkpoints: entries, dropped, takenForTest });
    return 0;
  }
  for (const line of describeDropped(dropped)) printError(`left out: ${line}`);
  if (takenForTest.length > 0)
    printError(
      `note: ${takenForTest.join(', ')} ${takenForTest.length === 1 ? 'was' : 'were'} taken for measures of the test images, as nothing else says what these are; where they are of validation images, so are the results`,
    );
  print(`${path}: ${plural(models, 'model')}, ${plural(entries.length, 'checkpoint')}`);
  const known = entries.filter(
    (one) =>
      one.test_accuracy !== undefined && (one.train_accuracy ?? one.running_train_accuracy) !== undefined,
  );
  if (known.length < entries.length)
    print(
      `${plural(entries.length - known.length, 'checkpoint')} without a train_accuracy or test_accuracy will not be imported: write them in, or give --csv`,
    );
  if (dataset === undefined)
    print(`name the images that the models were trained on at the top of it, or give --dataset`);
  if (known.length > 0) print(inExperiment(folder, known));
  return 0;
}

/** One line for each checkpoint. */
function yamlOf(entries: readonly object[], dataset: string | undefined, key: string | undefined): string {
  const head = { ...(dataset && { dataset }), ...(key && { key }) };
  const lines = entries.map((entry) => `  - ${JSON.stringify(entry)}\n`);
  return `${dataset ? '' : '# dataset: the images that the models were trained on, e.g. cifar-10\n'}${Object.keys(head).length > 0 ? stringify(head) : ''}checkpoints:\n${lines.join('')}`;
}
