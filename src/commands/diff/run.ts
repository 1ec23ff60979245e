/** `exp diff <run> <other run>`. */
import { attributesOf } from '../../report/points.ts';
import { keptPlans } from '../../runner/plans.ts';
import type { MetricRecord } from '../../stages/result.ts';
import type { Request } from '../arguments.ts';
import { recordsOf } from '../best-record.ts';
import { inColumns } from '../columns.ts';
import { findKeptRun, type KeptRun } from '../kept-runs.ts';
import { findStore } from '../option-values.ts';
import { print, printJson } from '../output.ts';

/** What a result is of. */
const subjectOf = ({ metric, labels, sample }: MetricRecord): string =>
  [
    metric,
    ...Object.entries(labels).map(([name, value]) => `${name}=${value}`),
    ...(sample === undefined ? [] : [`sample=${sample}`]),
  ].join(' ');

/** Returns the exit code. */
export async function diffCommand(request: Request): Promise<number> {
  const store = findStore(request);
  const plans = await keptPlans(store);
  const runs = request.positionals.map((text) => findKeptRun(text, plans)) as [KeptRun, KeptRun];
  const [before, after] = runs.map(attributesOf) as [Record<string, string>, Record<string, string>];
  const settings = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((setting) => before[setting] !== after[setting])
    .map((setting) => ({ setting, values: [before[setting] ?? null, after[setting] ?? null] }));
  const resultsOf = async ({ task, resultKey }: KeptRun) =>
    new Map((await recordsOf(store, task, resultKey)).map((record) => [subjectOf(record), record.value]));
  const [first, second] = (await Promise.all(runs.map(resultsOf))) as [
    Map<string, number>,
    Map<string, number>,
  ];
  const results = [...new Set([...first.keys(), ...second.keys()])].map((result) => ({
    result,
    values: [first.get(result) ?? null, second.get(result) ?? null] as const,
  }));
  const names = runs.map(({ plan, id }) => `${plan.name}/${id}`);
  if (request.switches.has('json')) {
    printJson({ event: 'diff', runs: names, settings, results });
    return 0;
  }
  if (settings.length === 0) print('The settings are the same.');
  else
    print(
      inColumns(
        ['setting', ...names],
        settings.map(({ setting, values }) => [setting, ...values.map((value) => value ?? '–')]),
      ),
    );
  const shown = (value: number | null) => (value === null ? '–' : String(Number(value.toPrecision(4))));
  const rows = results.map(({ result, values: [a, b] }) => {
    const change = a === null || b === null ? '' : `${b >= a ? '+' : ''}${Number((b - a).toPrecision(3))}`;
    return [result, shown(a), shown(b), change];
  });
  if (rows.length > 0) print(`\n${inColumns(['result', ...names, 'change'], rows)}`);
  else print('\nNeither run has results yet.');
  return 0;
}
