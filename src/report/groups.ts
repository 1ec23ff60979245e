/** Which runs stand side by side in one column group: those that differ in their seeds only. */

import { canonicalJson, type Json } from '../base/json.ts';
import { datasets } from '../data/registry.ts';
import { effectiveValues, immaterialSettings, tasksOf } from '../experiment/catalogue.ts';
import type { Difference, Run } from '../experiment/types.ts';
import { catalogue } from '../stages/catalogue.ts';
import type { GroupDefinition, TableDefinition } from './definition.ts';
import { inWords } from './differences.ts';
import type { Labels } from './paper.ts';
import type { Condition } from './table.ts';

/** Settings that change no number. */
export const immaterial: ReadonlySet<string> = immaterialSettings(catalogue);

export interface RunGroup {
  key: string;
  title: string;
  /** The part of the paper's column labels that is the group's. */
  labels: Labels;
  /** Empty: the paper's group has no run in this experiment. */
  runs: Run[];
  /** How the runs are not under the paper's conditions; empty where they are. */
  conditions: Omit<Condition, 'where'>[];
  /** Settings in which it differs from other groups of the same data set, which the paper's table has no place for. */
  varying: string[];
}

/**
 * The column groups of a table: for each of the paper's, its own runs, then those of data sets that stand in for it.
 * Runs that differ in anything but `seed` and `zoo.seed` go to groups of their own, titled by what differs.
 */
export function groupRuns(definition: TableDefinition, runs: Run[]): RunGroup[] {
  const { groups } = definition;
  const accepted = runs.filter((run) => definition.accepts(run));
  const byGroup = Map.groupBy(accepted, (run) => groupOf(run, groups));
  return groups.flatMap((group) => {
    const byDataset = Map.groupBy(byGroup.get(group) ?? [], (run) => measuredOn(group, run).join(' to '));
    if (byDataset.size === 0) {
      const { title } = group;
      return [{ key: keyOf(group), title, labels: labelsOf(group), runs: [], conditions: [], varying: [] }];
    }
    // The group's own data set comes first.
    const own = ([name]: [string, Run[]]) => (name === keyOf(group) ? 0 : 1);
    const parts = [...byDataset].sort((a, b) => own(a) - own(b));
    return parts.flatMap(([name, runs]) => groupByCondition(definition, group, name, runs));
  });
}

/** The data sets that a run has a group's numbers of: SANE's zoo's where the table has it, and that on which networks are measured. */
const measuredOn = ({ source }: GroupDefinition, run: Run): string[] =>
  source === undefined ? [targetOf(run)] : [run.dataset, targetOf(run)];

const datasetsOf = ({ source, dataset }: GroupDefinition): string[] =>
  [source, dataset].flatMap((name) => name ?? []);

const keyOf = (group: GroupDefinition) => datasetsOf(group).join(' to ') || 'any';

/** The data set that a run's networks are measured on. */
export function targetOf({ dataset, settings: { generation }, task }: Run): string {
  if (task !== 'generation') return dataset;
  return generation.target_dataset ?? generation.prompt_zoo?.dataset ?? dataset;
}

/** The group that a run is shown in: that of its data sets, or else the first that they stand in for, in the order of what they stand for. */
const groupOf = (run: Run, groups: readonly GroupDefinition[]): GroupDefinition | undefined =>
  placeOf(run, groups)?.group;

/** The group of a run, and how far from the first choice it is: 0 for that of the run's own data sets. */
export function placeOf(
  run: Run,
  groups: readonly GroupDefinition[],
): { group: GroupDefinition; distance: number } | undefined {
  const shownAs = (name: string) => [name, ...(datasets[name]?.standsFor ?? run.standsFor?.[name] ?? [])];
  for (const [i, target] of shownAs(targetOf(run)).entries()) {
    for (const [k, source] of shownAs(run.dataset).entries()) {
      const group = groups.find(
        (group) =>
          (group.dataset === null || group.dataset === target) &&
          (group.source === undefined || group.source === source),
      );
      if (group) return { group, distance: i + (group.source === undefined ? 0 : k) };
    }
  }
  return undefined;
}

function groupByCondition(
  { tableSettings = [], conditions: published = {} }: TableDefinition,
  group: GroupDefinition,
  name: string,
  runs: Run[],
): RunGroup[] {
  // A condition of a part of a setting shows the setting.
  const shown = new Set([
    ...tableSettings,
    ...Object.keys(published).flatMap((name) => [name, name.split('.').slice(0, 2).join('.')]),
  ]);
  const wanted = datasetsOf(group);
  const standIns = measuredOn(group, runs[0] as Run).flatMap((dataset, i) =>
    dataset === wanted[i]
      ? []
      : [
          {
            setting: i === 1 ? 'target data set' : 'dataset',
            value: dataset,
            paper: wanted.length > 1 ? (wanted[i] as string) : group.title,
          },
        ],
  );
  const byCondition = [...Map.groupBy(runs, (run) => JSON.stringify(condition(run, tableSettings))).values()];
  const conditions = byCondition.map(([first]) => condition(first as Run, tableSettings));
  const varying = Object.keys(conditions[0] as object).filter(
    (name) => new Set(conditions.map((values) => values[name])).size > 1,
  );
  return byCondition.map((sameCondition, i) => {
    const values = varying.map((name) => `${name}=${conditions[i]?.[name]}`);
    return {
      key: [name, ...values].join(','),
      title: [standIns.length > 0 ? `${name} (paper: ${group.title})` : group.title, ...values].join(', '),
      labels: labelsOf(group),
      runs: sameCondition,
      varying,
      conditions: [
        ...standIns,
        ...distinct([
          ...sameCondition.flatMap(({ differences }) =>
            differences.filter(({ setting }) => !shown.has(setting)),
          ),
          ...differencesFrom(published, sameCondition[0] as Run),
        ]).map(inWords),
      ],
    };
  });
}

/** Those of a group's conditions that its numbers with these labels depend on. */
export function conditionsOf({ runs, conditions }: RunGroup, labels: Labels): RunGroup['conditions'] {
  const [run] = runs;
  const task = tasksOf(catalogue).find(({ name }) => name === run?.task)?.task;
  if (!run || !task) return conditions;
  const parts = new Set(task.dependsOn(run.settings, labels));
  return conditions.filter(({ setting }) => {
    const [block = ''] = setting.split('.');
    // A data set that stands in for another is no setting.
    return !(block in run.settings) || parts.has(block) || parts.has(setting);
  });
}

/** Each difference once. */
const distinct = (differences: Difference[]): Difference[] => [
  ...new Map(differences.map((difference) => [JSON.stringify(difference), difference])).values(),
];

/** Where a run's settings are not those that the paper had in a table. */
function differencesFrom(published: Readonly<Record<string, Json>>, run: Run): Difference[] {
  const { settings } = run;
  return Object.entries({ ...recipeOfPrompts(run), ...published }).flatMap(([name, paper]) => {
    const found = name
      .split('.')
      .reduce((at: unknown, part) => (at as Record<string, unknown>)?.[part], settings);
    // Prompts of another zoo have the settings of SANE's where they say nothing else.
    const [, ofZoo] = /^generation\.prompt_zoo\.zoo\.(.*)$/.exec(name) ?? [];
    const value = (found ?? (ofZoo && settings.zoo[ofZoo as keyof typeof settings.zoo]) ?? null) as Json;
    return canonicalJson(value) === canonicalJson(paper) ? [] : [{ setting: name, value, paper }];
  });
}

/**
 * What the settings that a run gives for the zoo of its prompts would be without, by their names: the paper's prompts have the recipe too.
 * Not those that change no network, nor which checkpoints are kept beside the last epoch's, which are the prompts.
 */
function recipeOfPrompts({ settings: { zoo, generation } }: Run): Record<string, Json> {
  const given = generation.prompt_zoo?.zoo ?? {};
  const hasLast = given.checkpoints?.includes(given.epochs ?? zoo.epochs);
  const names = Object.keys(given).filter((name) =>
    name === 'checkpoints' ? !hasLast : name !== 'models' && !immaterial.has(`zoo.${name}`),
  );
  const usual = zoo as unknown as Record<string, Json>;
  return Object.fromEntries(names.map((name) => [`generation.prompt_zoo.zoo.${name}`, usual[name] as Json]));
}

/** The part of the paper's column labels that is the group's. */
export const labelsOf = ({ dataset, labels }: GroupDefinition): Labels =>
  labels ?? (dataset === null ? {} : { dataset });

/** Everything that makes two runs of a data set different measurements, by its name in the experiment file. */
function condition(run: Run, tableSettings: readonly string[]): Record<string, string> {
  const effective = effectiveValues(catalogue, run.settings);
  const settings = Object.entries(run.settings).flatMap(([block, values]) =>
    Object.entries(values).map(([name, value]) => {
      const dotted = `${block}.${name}`;
      return [dotted, text(effective[dotted] ?? value)] as const;
    }),
  );
  // The last checkpoint of another zoo is the prompts', and which it keeps it may have from the run's own.
  const counts = (name: string) =>
    !immaterial.has(name) || (name === 'zoo.checkpoints' && run.settings.generation.prompt_zoo !== null);
  const counted = settings.filter(([name]) => counts(name) && !tableSettings.includes(name));
  return { architecture: run.architecture, ...Object.fromEntries(counted) };
}

/** A setting's value in words. */
export const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
