/** Experiment -> plan: axes to runs, settings resolved for each, stages shared between them. */
import type { Json } from '../base/json.ts';
import { type Catalogue, tasksOf } from './catalogue.ts';
import { type Axes, asText, expandPoints, matches, runId } from './grid.ts';
import { tellApart } from './labels.ts';
import type { ParsedExperiment } from './parse.ts';
import { StagePlanner } from './planner.ts';
import { ExperimentError, type Place, type Problem } from './problems.ts';
import { renameSettings } from './renamed.ts';
import { type Conditions, type Identity, resolver } from './resolve.ts';
import { formatOf } from './schema.ts';
import type { TaskPlan } from './stage-plan.ts';
import { didYouMean } from './suggest.ts';
import { show, translate } from './translate.ts';
import type { Folder, Plan, Run } from './types.ts';

export interface PlanOptions {
  /** `--set`: dotted settings that win over everything in the file. */
  set?: Record<string, Json>;
  /** `--only`: for each axis the values to keep, as text. */
  only?: Record<string, string[]>;
  /** What is in a folder that the experiment names, or what is wrong with it. This room does not touch the disk. */
  inspectFolder?: (path: string) => Folder | { problem: string };
}

/** Problems of `--set` and `--only` that can be seen without the runs. */
function checkOptions(options: PlanOptions, catalogue: Catalogue): Problem[] {
  const { settingNames, validateSetting } = formatOf(catalogue);
  const problems: Problem[] = [];
  for (const [name, value] of Object.entries(options.set ?? {})) {
    const path = `--set ${name}=${asText(value)}`;
    if (!settingNames.includes(name)) {
      const hint = didYouMean(name, settingNames) ?? 'a setting is written block.name, such as sane.epochs';
      problems.push({ code: 'unknown-setting', path, message: 'there is no such setting', hint });
      continue;
    }
    for (const { problem } of translate(validateSetting(name, value))) problems.push({ ...problem, path });
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
  const kept = Object.entries(only);
  return points.filter((point) => kept.every(([axis, wanted]) => wanted.includes(asText(point[axis]))));
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

/** Looks into the folders that settings name, each once. */
class Folders {
  readonly found = new Map<string, Folder>();

  constructor(
    private readonly inspect: NonNullable<PlanOptions['inspectFolder']>,
    private readonly source: ParsedExperiment['source'],
  ) {}

  /** Problems of the folders that these settings name. */
  look({ stages }: Catalogue, settings: Conditions['settings']): Problem[] {
    const named = Object.values(stages).flatMap((stage) => stage.folders?.(settings) ?? []);
    return named.flatMap(({ path, folder }) => {
      if (this.found.has(folder)) return [];
      const looked = this.inspect(folder);
      if ('problem' in looked) return folderProblem(folder, looked.problem, path, this.source.locate(path));
      this.found.set(folder, looked);
      return [];
    });
  }
}

/** What runs say of the data sets of the experiment itself: nothing where none of them stands for another. */
function standsForOf({
  experiment,
  catalogue,
}: Pick<ParsedExperiment, 'experiment' | 'catalogue'>): Run['standsFor'] {
  const own = Object.keys(experiment.datasets ?? {}).map(
    (name) => [name, catalogue.datasets[name]?.standsFor ?? []] as const,
  );
  const some = own.filter(([, others]) => others.length > 0);
  return some.length > 0 ? Object.fromEntries(some) : undefined;
}

/** Expands an experiment to its plan. Throws an ExperimentError with everything that keeps a run from being planned. */
export function planExperiment(parsed: ParsedExperiment, given: PlanOptions = {}): Plan {
  const { experiment, source, catalogue } = parsed;
  const set = renameSettings(catalogue, '--set', given.set ?? {});
  const only = renameSettings(catalogue, '--only', given.only ?? {});
  const options = { ...given, set: set.settings, only: only.settings };
  const problems = checkOptions(options, catalogue);
  const fail = () => {
    throw new ExperimentError(problems, source.file, source.text);
  };
  const { points, selected } = choosePoints(parsed, options.only, problems);
  if (problems.length > 0) fail();

  const used = new Set<string>();
  for (const point of points) for (const axis in point) used.add(axis);
  const varying = formatOf(catalogue).axisNames.filter((axis) => used.has(axis) && isVarying(axis, points));
  const { runs, stages } = planRuns(parsed, selected, { varying, options, problems });
  if (problems.length > 0) fail();
  tellApart(stages);
  return {
    name: experiment.name,
    description: experiment.description ?? '',
    device: experiment.device ?? 'auto',
    launcher: experiment.launcher ?? {},
    tables: experiment.tables ?? null,
    runs,
    stages,
    warnings: [...parsed.warnings, ...set.warnings, ...only.warnings],
  };
}

interface RunOptions {
  /** Axes that are in the names of runs. */
  varying: readonly string[];
  options: PlanOptions;
  /** Where mistakes are added; after the first one no more is planned. */
  problems: Problem[];
}

/** The runs of these points, and their stages. */
function planRuns(
  { experiment, source, catalogue }: ParsedExperiment,
  points: readonly Axes[],
  { varying, options, problems }: RunOptions,
): Pick<Plan, 'runs' | 'stages'> {
  const folders = new Folders(
    options.inspectFolder ?? (() => ({ problem: 'folders cannot be looked into here' })),
    source,
  );
  const planner = new StagePlanner(catalogue, (path) => folders.found.get(path) as Folder);
  const tasks = new Map(tasksOf(catalogue).map((task) => [task.name, task]));
  const runs: Run[] = [];
  const standsFor = standsForOf({ experiment, catalogue });
  const resolve = resolver(catalogue, experiment, options.set ?? {});
  /** Of the runs that differ by seed only. */
  const conditions = new Map<string, Conditions>();
  for (const point of points) {
    const { architecture, dataset, task, seed } = point as unknown as Identity;
    const matching = (experiment.overrides ?? []).map(({ when }) =>
      matches(point, when as Record<string, Json>),
    );
    const content = JSON.stringify([{ ...point, seed: null }, matching]);
    const id = runId(point, varying);
    const known = conditions.get(content);
    const found = known ?? resolve(point, matching);
    const { settings, differences, given } = found;
    // Made at once: an object that others are spread into takes twice the memory.
    const run: Run = {
      id,
      axes: point,
      architecture,
      dataset,
      task,
      seed,
      settings,
      differences,
      resultKey: '',
    };
    if (standsFor) run.standsFor = standsFor;
    if (!known) {
      conditions.set(content, found);
      problems.push(...folders.look(catalogue, settings));
      const context = { catalogue, given, folders: folders.found, paper: planner.paper };
      for (const stage of Object.values(catalogue.stages)) {
        for (const { path, ...problem } of stage.check?.(run, context) ?? []) {
          const name = path.join('.');
          // One mistake in a block shows in every run; it is reported once, with the first run that has it.
          if (problems.some((other) => other.path === name && other.code === problem.code)) continue;
          const message = `${problem.message} (run ${id})`;
          problems.push({ ...problem, path: name, message, place: source.locate(path) });
        }
      }
    }
    if (problems.length > 0) continue;
    run.resultKey = planner.key(tasks.get(task) as TaskPlan, run);
    runs.push(run);
  }
  return { runs, stages: planner.stages };
}

/** Whether an axis has more than one value, or is not of all points. */
function isVarying(axis: string, points: readonly Axes[]): boolean {
  const [first] = points;
  if (!first) return false;
  const value = first[axis];
  return points.some((point) => point[axis] !== value && asText(point[axis]) !== asText(value));
}

/** All points of the experiment, and those of them that `--only` keeps. */
function choosePoints(
  parsed: ParsedExperiment,
  only: Record<string, string[]>,
  problems: Problem[],
): Record<'points' | 'selected', Axes[]> {
  const { experiment, source } = parsed;
  const all = expandPoints(experiment);
  problems.push(...checkMatchers(parsed, all));
  const excluded = (experiment.exclude ?? []) as Record<string, Json>[];
  const points = all.filter((point) => !excluded.some((matcher) => matches(point, matcher)));
  const selected = select(points, only, problems);
  if (points.length === 0) {
    const place = source.locate(['grid'], true);
    const hint = 'exclude takes out every one';
    problems.push({ code: 'no-runs', path: 'grid', place, message: 'no run is left', hint });
  } else if (selected.length === 0 && problems.length === 0) {
    problems.push({ code: 'no-runs', path: '--only', message: 'no run matches all of them together' });
  }
  return { points, selected };
}
