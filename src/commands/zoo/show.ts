/** `exp zoo show <folder>`: what a zoo holds. */
import { plural } from '../../base/plural.ts';
import { describeUnused } from '../../zoo/formats/unused.ts';
import { summarizeZoo, type ZooSummary } from '../../zoo/import/summary.ts';
import type { Request } from '../arguments.ts';
import { print, printJson } from '../output.ts';
import { describeDropped } from './dropped.ts';

/** Returns the exit code. */
export async function zooShow(request: Request): Promise<number> {
  const [folder] = request.positionals as [string];
  const summary = await summarizeZoo(folder);
  if (request.switches.has('json')) printJson({ event: 'zoo', folder, ...summary });
  else for (const line of linesOf(folder, summary)) print(line);
  return 0;
}

function linesOf(folder: string, summary: ZooSummary): string[] {
  const { architecture, dataset, models, checkpoints, epochs, splits, accuracies, dropped, unused } = summary;
  const rangeOf = (range: ZooSummary['accuracies']['test']) => {
    if (!range) return 'not known';
    const of = range.known < checkpoints ? `, of ${range.known} of ${plural(checkpoints, 'checkpoint')}` : '';
    return `${range.lowest.toFixed(4)} to ${range.highest.toFixed(4)}${of}`;
  };
  const split = ['train', 'val', 'test'].map((name) => `${name} ${splits[name] ?? 0}`).join(', ');
  return [
    folder,
    `  architecture    ${architecture ?? 'none that is known: tensors, or write its layers'}`,
    `  dataset         ${dataset ?? 'not known'}`,
    `  models          ${models}`,
    `  checkpoints     ${checkpoints}, of epochs ${epochs.join(', ')}`,
    `  splits          ${Object.keys(splits).length > 0 ? split : 'made by the import'}`,
    `  train accuracy  ${rangeOf(accuracies.train)}`,
    `  test accuracy   ${rangeOf(accuracies.test)}`,
    `  left out        ${dropped.length}`,
    ...describeDropped(dropped, 'dropped.json').map((line) => `    ${line}`),
    ...(unused.length > 0 ? [`  not used        ${describeUnused(unused)}`] : []),
  ];
}
