/** Experiment -> plan: axes to runs, settings resolved for each, stages shared between them. */

import { checkRun } from './check-run.ts';
import { canonicalJson } from './keys.ts';
import type { ParsedExperiment } from './parse.ts';
import { ExperimentError, type Problem } from './problems.ts';
import recipes from './recipes.json' with { type: 'json' };
import {
  axisNames,
  type Block,
  blocks,
  defaults,
  plainAxes,
  settingNames,
  validateAxisValue,
} from './schema.ts';
import { StageBuilder } from './stages.ts';
import { didYouMean } from './suggest.ts';
import { show, translate } from './translate.ts';
import type { Architecture, Dataset, Experiment, Json, Plan, Run, Settings, Task } from './types.ts';

export interface PlanOptions {
  /** `--set`: dotted settings that win over everything in the file. */
  set?: Record<string, Json>;
  /** `--only`: for each axis the values to keep, as text. */
  only?: Record<string, string[]>;
}

type Axes = Record<string, Json>;

/** Every combination of lists, the last axis fastest. */
function product(axes: Record<string, readonly Json[]>): Axes[] {
  let points: Axes[] = [{}];
  for (const [name, values] of Object.entries(axes)) {
    points = points.flatMap((point) => values.map((value) => ({ ...point, [name]: value })));
  }
  return points;
}

const asText = (value: Json | undefined) =>
  typeof value === 'string' ? value : canonicalJson(value ?? null);

/** Whether a point has, for every axis named, (one of) the values given. */
function matches(point: Axes, matcher: Record<string, Json>): boolean {
  return Object.entries(matcher).every(([axis, wanted]) => {
    const value = asText(point[axis]);
    // A list may be the axis' own value (epochs, say) as well as a choice of values.
    return asText(wanted) === value || (Array.isArray(wanted) && wanted.some((one) => asText(one) === value));
  });
}

/** All points of the grid after zip and include, before exclude. Seeds default to a single 0. */
function expandPoints(experiment: Experiment): Axes[] {
  const grid = experiment.grid as Record<string, Json[]>;
  let points = product(grid);
  for (const zip of (experiment.zip ?? []) as Record<string, Json[]>[]) {
    const length = Object.values(zip)[0]?.length ?? 0;
    const rows = Array.from({ length }, (_, i) =>
      Object.fromEntries(Object.entries(zip).map(([name, values]) => [name, values[i] as Json])),
    );
    points = points.flatMap((point) => rows.map((row) => ({ ...point, ...row })));
  }
  const single = Object.fromEntries(
    Object.entries(grid).flatMap(([name, values]) =>
      values.length === 1 ? [[name, values[0] as Json]] : [],
    ),
  );
  // A grid without all of the plain axes makes no runs of its own; include then gives full ones.
  const isWhole = (point: Axes) => plainAxes.every((axis) => axis === 'seed' || axis in point);
  const added = ((experiment.include ?? []) as Axes[]).map((entry) => ({ ...single, ...entry }));
  const all = [...points.filter(isWhole), ...added].map((point) => ({ ...point, seed: point.seed ?? 0 }));
  return [...new Map(all.map((point) => [canonicalJson(point), point])).values()];
}

/** The recipe's settings for an architecture and data set; a stand-in has those of what it stands for. */
function recipe(architecture: string, dataset: string): Record<string, Json> {
  const standIns = recipes.stand_ins as Record<string, string>;
  const paper = standIns[dataset] ?? dataset;
  const found = recipes.recipes.find(
    (entry) => entry.architecture === architecture && entry.dataset === paper,
  );
  return (found?.set ?? {}) as Record<string, Json>;
}

function assign(settings: Record<Block, Record<string, Json>>, name: string, value: Json): void {
  const [block, setting] = name.split('.') as [Block, string];
  settings[block] = { ...settings[block], [setting]: value };
}

/** Conditions of the paper for a run: defaults and recipe, nothing else. */
function paperSettings(architecture: string, dataset: string): Record<Block, Record<string, Json>> {
  const settings = { ...defaults };
  for (const [name, value] of Object.entries(recipe(architecture, dataset))) assign(settings, name, value);
  return settings;
}

interface Resolved {
  settings: Settings;
  /** Settings that the file or the arguments give for this run. */
  given: Set<string>;
}

/** A run's settings in the order of precedence: defaults, recipe, blocks, overrides, axes, --set. */
function resolve(
  experiment: Experiment,
  point: Axes,
  set: Record<string, Json>,
  paper: Record<Block, Record<string, Json>>,
): Resolved {
  const settings = { ...paper };
  const given = new Set<string>();
  const give = (name: string, value: Json) => {
    given.add(name);
    assign(settings, name, value);
  };
  for (const block of blocks) {
    for (const [name, value] of Object.entries(experiment[block] ?? {}))
      give(`${block}.${name}`, value as Json);
  }
  for (const { when, set: changes } of experiment.overrides ?? []) {
    if (!matches(point, when as Record<string, Json>)) continue;
    for (const [name, value] of Object.entries(changes)) give(name, value as Json);
  }
  for (const [name, value] of Object.entries(point)) if (name.includes('.')) give(name, value);
  for (const [name, value] of Object.entries(set)) give(name, value);
  narrow(settings, given);
  return { settings: settings as unknown as Settings, given };
}

/** Epoch lists that nobody gave keep only what the run has: checkpoints up to its last epoch, uses of checkpoints that exist. */
function narrow(settings: Record<Block, Record<string, Json>>, given: ReadonlySet<string>): void {
  const { zoo, property_prediction: prediction } = settings;
  const epochs = zoo.epochs as number;
  if (!given.has('zoo.checkpoints')) {
    const kept = (zoo.checkpoints as number[]).filter((epoch) => epoch <= epochs);
    assign(settings, 'zoo.checkpoints', kept);
  }
  if (!given.has('property_prediction.epochs_used')) {
    const kept = settings.zoo.checkpoints as number[];
    const used = (prediction.epochs_used as number[]).filter((epoch) => kept.includes(epoch));
    // None of the authors' epochs are there: all that are there.
    assign(settings, 'property_prediction.epochs_used', used.length > 0 ? used : null);
  }
}

/** Settings that change no condition: which numbers are asked for, and seeds. */
const immaterial = new Set(['zoo.seed', 'property_prediction.features', 'property_prediction.targets']);

/** Where a run's conditions differ from the paper's, for a reader. */
function scaledBy(
  run: { dataset: string; settings: Settings },
  paper: Record<Block, Record<string, Json>>,
): string[] {
  const standsFor = (recipes.stand_ins as Record<string, string>)[run.dataset];
  const usesSane = run.settings.property_prediction.features.some((feature) => feature.startsWith('sane'));
  const differences: string[] =
    typeof standsFor === 'string' ? [`data set ${run.dataset} (paper ${standsFor})`] : [];
  for (const name of settingNames) {
    const [block, setting] = name.split('.') as [Block, string];
    const shared = setting === 'token_size' || setting === 'standardization';
    if (immaterial.has(name) || (block === 'sane' && !usesSane && !shared)) continue;
    const mine = canonicalJson((run.settings[block] as unknown as Record<string, Json>)[setting] as Json);
    const theirs = canonicalJson(paper[block][setting] as Json);
    if (mine !== theirs) differences.push(`${name} ${mine} (paper ${theirs})`);
  }
  return differences;
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

/** A name for each run: the axes in which runs differ. */
function runId(point: Axes, varying: readonly string[]): string {
  const parts = varying.filter((axis) => axis in point).map((axis) => `${axis}=${asText(point[axis])}`);
  return parts.length > 0 ? parts.join(',') : String(point.task);
}

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

  const varying = axisNames.filter((axis) => new Set(points.map((point) => asText(point[axis]))).size > 1);
  const builder = new StageBuilder();
  const runs: Run[] = [];
  for (const point of selected) {
    const { architecture, dataset, task, seed } = point as {
      architecture: Architecture;
      dataset: Dataset;
      task: Task;
      seed: number;
    };
    const paper = paperSettings(architecture, dataset);
    const { settings, given } = resolve(experiment, point, options.set ?? {}, paper);
    const id = runId(point, varying);
    for (const { path, ...problem } of checkRun(settings, given)) {
      const name = path.join('.');
      const known = problems.some((other) => other.path === name && other.code === problem.code);
      // One mistake in a block shows in every run; it is reported once, with the first run that has it.
      if (!known)
        problems.push({
          ...problem,
          path: name,
          message: `${problem.message} (run ${id})`,
          place: source.locate(path),
        });
    }
    const run = { axes: point, architecture, dataset, task, seed, settings };
    if (problems.length === 0) {
      runs.push({ ...run, id, scaled: scaledBy(run, paper), resultKey: builder.resultOf(run).key });
    }
  }
  if (problems.length > 0) fail();
  return {
    name: experiment.name,
    description: experiment.description ?? '',
    device: experiment.device ?? 'auto',
    tables: experiment.tables ?? [1, 9, 10],
    runs,
    stages: builder.stages,
  };
}
