/** Experiment -> plan: axes to runs, settings resolved for each, stages shared between them. */
import { checkRun } from './check-run.ts';
import { type Axes, asText, expandPoints, matches, runId } from './grid.ts';
import { canonicalJson } from './keys.ts';
import type { ParsedExperiment } from './parse.ts';
import { ExperimentError, type Place, type Problem } from './problems.ts';
import { type Conditions, type Identity, resolve } from './resolve.ts';
import { axisNames, settingNames, validateAxisValue } from './schema.ts';
import { StageBuilder } from './stages.ts';
import { didYouMean } from './suggest.ts';
import { show, translate } from './translate.ts';
import type { Folder, Json, Plan, Run } from './types.ts';

export interface PlanOptions {
  /** `--set`: dotted settings that win over everything in the file. */
  set?: Record<string, Json>;
  /** `--only`: for each axis the values to keep, as text. */
  only?: Record<string, string[]>;
  /** What is in a folder that the experiment names, or what is wrong with it. This room does not touch the disk. */
  inspectFolder?: (path: string) => Folder | { problem: string };
}

/** Problems of `--set` and `--only` that can be seen without the runs. */
function checkOptions(options: PlanOptions): Problem[] {
  const problems: Problem[] = [];
  for (const [name, value] of Object.entries(options.set ?? {})) {
    const path = `--set ${name}=${asText(value)}`;
    if (!settingNames.includes(name)) {
      const hint = didYouMean(name, settingNames) ?? 'a setting is written block.name, such as sane.epochs';
      problems.push({ code: 'unknown-setting', path, message: 'there is no such setting', hint });
      continue;
    }
    for (const { problem } of translate(validateAxisValue(name, value), () => []))
      problems.push({ ...problem, path });
  }
  return problems;
}

/** Keeps the points that `--only` names. Unknown axes and values are problems. */
function select(points: readonly Axes[], only: Record<string, string[]>, problems: Problem[]): Axes[] {
  for (const [axis, wanted] of Object.entries(only)) {
    const path = `--only ${axis}=${wanted.join(',')}`;
    const axes = [...new Set(points.flatMap((point) => Object.keys(point)))];
    if (!axes.includes(axis)) {
      const hint = didYouMean(axis, axes) ?? `its axes are ${axes.join(', ')}`;
      problems.push({ code: 'unknown-axis', path, message: `the experiment has no axis ${axis}`, hint });
      continue;
    }
    const values = [...new Set(points.map((point) => asText(point[axis])))];
    for (const value of wanted) {
      if (values.includes(value)) continue;
      const hint = didYouMean(value, values) ?? `there are ${values.slice(0, 20).join(', ')}`;
      problems.push({ code: 'unknown-value', path, message: `no run has ${axis}=${value}`, hint });
    }
  }
  return points.filter((point) =>
    Object.entries(only).every(([axis, wanted]) => wanted.includes(asText(point[axis]))),
  );
}

/** Problems of exclude and overrides that match no run. */
function checkMatchers({ experiment, source }: ParsedExperiment, points: readonly Axes[]): Problem[] {
  const entries = [
    ...(experiment.exclude ?? []).map((matcher, i) => ({
      matcher,
      path: ['exclude', i] as (string | number)[],
    })),
    ...(experiment.overrides ?? []).map(({ when }, i) => ({ matcher: when, path: ['overrides', i, 'when'] })),
  ];
  return entries
    .filter(({ matcher }) => !points.some((point) => matches(point, matcher as Record<string, Json>)))
    .map(({ matcher, path }) => {
      const unknown = Object.keys(matcher).filter((axis) => !points.some((point) => axis in point));
      const hint =
        unknown.length > 0
          ? `${unknown.join(', ')} is no axis of this experiment; its axes are ${Object.keys(points[0] ?? {}).join(', ')}`
          : 'no combination of the grid has these values';
      return {
        code: 'matches-nothing',
        path: path.join('.'),
        place: source.locate(path),
        message: 'matches no run',
        received: show(matcher),
        hint,
      };
    });
}

const folderProblem = (
  folder: string,
  message: string,
  path: readonly string[],
  place: Place | undefined,
): Problem => ({
  code: 'no-folder',
  path: path.join('.'),
  place,
  message,
  received: folder,
  hint: "the folder of a zoo, from the experiment file's folder on",
});

/** Expands an experiment to its plan. Throws an ExperimentError with everything that keeps a run from being planned. */
export function planExperiment(parsed: ParsedExperiment, options: PlanOptions = {}): Plan {
  const { experiment, source } = parsed;
  const problems = checkOptions(options);
  const all = expandPoints(experiment);
  problems.push(...checkMatchers(parsed, all));
  const excluded = (experiment.exclude ?? []) as Record<string, Json>[];
  const points = all.filter((point) => !excluded.some((matcher) => matches(point, matcher)));
  const selected = select(points, options.only ?? {}, problems);
  if (points.length === 0) {
    const place = source.locate(['grid'], true);
    problems.push({
      code: 'no-runs',
      path: 'grid',
      place,
      message: 'no run is left',
      hint: 'exclude takes out every one',
    });
  } else if (selected.length === 0 && problems.length === 0) {
    problems.push({ code: 'no-runs', path: '--only', message: 'no run matches all of them together' });
  }
  const fail = () => {
    throw new ExperimentError(problems, source.file, source.text);
  };
  if (problems.length > 0) fail();

  const used = new Set(points.flatMap((point) => Object.keys(point)));
  const varying = axisNames.filter(
    (axis) => used.has(axis) && new Set(points.map((point) => asText(point[axis]))).size > 1,
  );
  const inspect = options.inspectFolder ?? (() => ({ problem: 'folders cannot be looked into here' }));
  const folders = new Map<string, Folder>();
  const builder = new StageBuilder((path) => folders.get(path) as Folder);
  const runs: Run[] = [];
  const conditions = new Map<string, Conditions>();
  for (const point of selected) {
    const { architecture, dataset, task, seed } = point as unknown as Identity;
    const matching = (experiment.overrides ?? []).map(({ when }) =>
      matches(point, when as Record<string, Json>),
    );
    const { seed: _, ...rest } = point;
    const content = canonicalJson([rest, matching]);
    let found = conditions.get(content);
    const id = runId(point, varying);
    if (!found) {
      found = resolve(experiment, point, options.set ?? {});
      conditions.set(content, found);
      const { zoo, generation } = found.settings;
      const named: [string[], string | null | undefined][] = [
        [['zoo', 'import'], zoo.import],
        [['generation', 'prompt_zoo', 'zoo', 'import'], generation.prompt_zoo?.zoo?.import],
      ];
      for (const [path, folder] of named) {
        if (folder === null || folder === undefined || folders.has(folder)) continue;
        const looked = inspect(folder);
        if ('problem' in looked)
          problems.push(folderProblem(folder, looked.problem, path, source.locate(path)));
        else folders.set(folder, looked);
      }
      for (const { path, ...problem } of checkRun(
        { architecture, dataset, task, settings: found.settings },
        found.given,
        folders,
      )) {
        const name = path.join('.');
        const known = problems.some((other) => other.path === name && other.code === problem.code);
        // One mistake in a block shows in every run; it is reported once, with the first run that has it.
        if (known) continue;
        const message = `${problem.message} (run ${id})`;
        problems.push({ ...problem, path: name, message, place: source.locate(path) });
      }
    }
    if (problems.length > 0) continue;
    const run = { axes: point, architecture, dataset, task, seed, settings: found.settings };
    runs.push({ ...run, id, scaled: found.scaled, resultKey: builder.resultOf(run).key });
  }
  if (problems.length > 0) fail();
  return {
    name: experiment.name,
    description: experiment.description ?? '',
    device: experiment.device ?? 'auto',
    tables: experiment.tables ?? null,
    runs,
    stages: builder.stages,
  };
}
