/** The shape that the paper's tables of generated models share: epochs and methods down, data sets across. */
import { datasets } from '../../data/registry.ts';
import type { GenerationSettings, Run } from '../../experiment/types.ts';
import type { ClaimDefinition, RowDefinition, TableDefinition } from '../definition.ts';
import { targetOf } from '../groups.ts';
import { ofGeneration } from './departures.ts';
import { type Family, familyOf } from './family.ts';

export const methodTitles = {
  scratch: 'tr. fr. scratch',
  finetuned: 'Finetuned',
  reconstruction: 'SANE, reconstructed',
  'hyper-representation': 'S_KDE30',
  kde30: 'SANE_KDE30',
  sub: 'SANE_SUB',
  boot: 'SANE_BOOT',
  gauss: 'SANE_GAUSS',
  prompts: 'Prompts',
  noise: 'Prompts + noise',
  average: 'Mean of prompts',
  flow: 'Flow on prompts',
  'held-out': 'Test models',
};

export type Method = keyof typeof methodTitles;

const rowKey = (epoch: number, method: Method) => `${epoch} ${method}`;

/** After this many epochs of fine-tuning, `above` is better than `below`. */
export function methodOrder(epoch: number, above: Method, below: Method, orEqual?: true): ClaimDefinition {
  const [high, low] = [methodTitles[above], methodTitles[below]];
  return {
    of: 'rows',
    text: `epoch ${epoch}: ${high} is ${orEqual ? 'not below' : 'above'} ${low}`,
    above: rowKey(epoch, above),
    below: rowKey(epoch, below),
    ...(orEqual ? { orEqual } : {}),
  };
}

/** What is the same in all tables of the accuracies of networks. */
export const accuracies = {
  metric: 'accuracy',
  labels: { split: 'test' },
  factor: 100,
  decimals: 1,
  best: { among: 'block-rows', is: 'highest' },
  departures: ofGeneration,
  bounds: { chance: chanceOf, ceiling: 100 },
  caption: describeSelection,
} as const;

/** Differences of accuracies that do not matter, in points. */
export const margins = {
  cnn: {
    size: 2,
    reason:
      'a ninth of the least lead that the paper has over its earlier method before fine-tuning, 17.8 points in Table 3',
  },
  resnet: {
    size: 1,
    reason: 'less than half of the median lead of samples over scratch in Tables 15 to 17, 2.4 points',
  },
} as const;

/** What guessing has, in %; null for a data set whose classes are not known here. One of the experiment's own has those of what it stands for. */
function chanceOf(run: Run): number | null {
  const name = targetOf(run);
  const classes = (datasets[name] ?? datasets[run.standsFor?.[name]?.[0] ?? ''])?.classes;
  return classes === undefined ? null : 100 / classes;
}

/** How many networks each method of a run draws, and which of them are kept by what; of the methods that a table names, where it names any. */
function describeSelection({ settings: { generation } }: Run, named: ReadonlySet<string>): string[] {
  const { samples, candidates, rounds, validation_images: images } = generation;
  const methods = generation.methods.filter((method) => named.size === 0 || named.has(method));
  const phrases: Partial<Record<Method, string>> = {
    'hyper-representation': `all ${samples} drawn`,
    kde30: `all ${samples} drawn`,
    sub: `the best ${samples} of ${candidates} drawn`,
    boot: `the best ${samples} of ${candidates} drawn in the last of ${rounds} rounds`,
    gauss: `the best ${samples} of ${candidates} drawn in the last of ${rounds} rounds`,
    prompts: `the best ${samples} of all`,
    noise: `the best ${samples} of ${candidates} drawn`,
    average: `the best ${samples} of ${candidates} drawn`,
    flow: `all ${samples} drawn`,
    'held-out': `the first ${samples}`,
  };
  const kept = methods.flatMap((method) =>
    phrases[method] ? [`${methodTitles[method]} has ${phrases[method]}`] : [],
  );
  if (kept.length === 0) return [];
  const chooses = methods.some((method) => phrases[method]?.startsWith('the best'));
  const judges =
    images === 0
      ? 'the training images'
      : `${images ?? 'the'} images that are neither of the training nor of the test`;
  return [`Here ${kept.join(', ')}${chooses ? `; the best by accuracy on ${judges}` : ''}.`];
}

/** Whether networks are made for another task than that of SANE's zoo, or from those of another zoo. */
export const transfers = ({ target_dataset, prompt_zoo }: GenerationSettings): boolean =>
  target_dataset !== null || prompt_zoo !== null;

/** Methods that the paper has not, whose rows are shown where they were measured. */
const ownMethods: readonly Method[] = ['prompts', 'noise', 'average', 'flow', 'held-out', 'reconstruction'];

/** How new networks are before any training (Zeng et al. 2026), in percent as accuracies are. */
const noveltyRows = {
  'error-overlap': 'Errors as a training network',
  'nearest-distance': 'Distance to training',
};

/** Where the paper has several methods, those that it has not beside them. */
const withBeyond = (methods: readonly Method[]): readonly Method[] =>
  methods.length > 1 ? [...methods, ...ownMethods] : methods;

/** A table of the accuracy of sampled networks, fine-tuned on the data set of their zoo (section 5.2). */
export function generationTable({
  id,
  family,
  datasets,
  rows,
  claims,
}: Pick<TableDefinition, 'id' | 'claims'> & {
  family: Family;
  /** Titles by name. */
  datasets: Record<string, string>;
  /** The methods that the paper has at each epoch. */
  rows: [epoch: number, methods: readonly Method[]][];
}): TableDefinition {
  return {
    id,
    // Runs without haloing or conditioning belong in Table 7 only.
    accepts: (run) => {
      const { generation } = run.settings;
      const isWhole = generation.halo && generation.conditioning_batches > 0;
      return run.task === 'generation' && familyOf(run) === family && isWhole && !transfers(generation);
    },
    ...accuracies,
    margin: margins[family],
    stub: ['Epoch', 'Method'],
    groups: Object.entries(datasets).map(([dataset, title]) => ({ dataset, title })),
    columns: [{ key: 'accuracy', title: 'Accuracy', labels: {} }],
    rows: [
      ...rows.flatMap(([epoch, methods]) =>
        withBeyond(methods).map(
          (method): RowDefinition => ({
            key: rowKey(epoch, method),
            titles: [String(epoch), methodTitles[method]],
            labels: { epoch, method },
            ...(ownMethods.includes(method) && { beyondPaper: true }),
          }),
        ),
      ),
      ...Object.entries(noveltyRows).flatMap(([metric, title]) =>
        withBeyond(rows[0]?.[1] ?? []).map(
          (method): RowDefinition => ({
            key: `${metric} ${method}`,
            titles: [title, methodTitles[method]],
            labels: { epoch: 0, method },
            ...{ metric, unranked: true, beyondPaper: true },
          }),
        ),
      ),
    ],
    claims,
  };
}
