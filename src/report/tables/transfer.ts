/** What the paper's tables of transfer share: networks for another task, or of another kind, than SANE's zoo is of (section 5.3). */
import type { Json } from '../../base/json.ts';
import type { Run } from '../../experiment/types.ts';
import type { RowDefinition, TableDefinition } from '../definition.ts';
import { targetOf } from '../groups.ts';
import type { Labels } from '../paper.ts';
import type { Condition } from '../table.ts';
import { accuracies, type Method, margins, methodOrder, methodTitles } from './generation.ts';

/** Whether a run takes the networks of its own zoo to another data set. */
export const changesTask = ({ task, settings: { generation } }: Run): boolean =>
  task === 'generation' && generation.target_dataset !== null && generation.prompt_zoo === null;

/** Whether a run's prompts are of another zoo, of that architecture, and its samples for that zoo's data set. */
export function promptedBy({ task, architecture, settings: { generation } }: Run, prompts: string): boolean {
  const { prompt_zoo: zoo, target_dataset: target } = generation;
  return (
    task === 'generation' && zoo !== null && target === null && (zoo.architecture ?? architecture) === prompts
  );
}

/** A row for each epoch and method, in that order. */
export const epochRows = (
  rows: readonly [epoch: number, methods: readonly Method[]][],
  conditions: Partial<Record<Method, Condition>> = {},
): RowDefinition[] =>
  rows.flatMap(([epoch, methods]) =>
    methods.map((method) => ({
      key: `${epoch} ${method}`,
      titles: [String(epoch), methodTitles[method]],
      labels: { epoch, method },
      ...(conditions[method] ? { condition: conditions[method] } : {}),
    })),
  );

const lastOf = ({ settings: { generation } }: Run) => Math.max(...generation.epochs);

/** Tables 15 to 17: samples of ResNet-34 near a few hardly trained ones, by a SANE of ResNet-18. Columns are budgets of fine-tuning. */
export function largerArchitecture({
  id,
  dataset,
  title,
  single,
}: Pick<TableDefinition, 'id'> & {
  dataset: string;
  title: string;
  /** Whether there is one prompt only, instead of three. */
  single: boolean;
}): TableDefinition {
  const methods = ['scratch', 'sub'] as const;
  const source = 'cifar-100';
  return {
    id,
    ...accuracies,
    margin: margins.resnet,
    stub: ['Epoch', 'Method'],
    accepts: (run) =>
      run.architecture === 'resnet18' &&
      promptedBy(run, 'resnet34') &&
      // Where both data sets stand in for the paper's, whether they are the same says which of its tables they are set beside.
      (targetOf(run) === run.dataset) === (dataset === source) &&
      (run.settings.generation.prompt_count === 1) === single,
    groups: [{ source, dataset, title, labels: {} }],
    columns: [5, 15].map((budget) => ({
      key: String(budget),
      title: `${budget} epochs`,
      labels: { budget_epochs: budget },
    })),
    relabel: (labels, run, metric): Labels | null => {
      const budget = { budget_epochs: lastOf(run) };
      if (metric === 'accuracy') return { ...labels, ...budget };
      const { epoch, ...rest } = labels;
      return epoch === lastOf(run) ? { ...rest, ...budget, ensemble: true } : null;
    },
    tableSettings: ['generation.epochs'],
    conditions: {
      'generation.prompt_count': single ? 1 : 3,
      'generation.samples': 5,
      'generation.prompt_zoo.zoo.epochs': 2,
    } satisfies Record<string, Json>,
    rows: [
      ...epochRows([0, 1, 5, 15].map((epoch) => [epoch, methods] as const)),
      {
        key: 'ensemble',
        titles: ['', 'SANE ensemble'],
        labels: { method: 'sub', ensemble: true },
        metric: 'ensemble-accuracy',
      },
    ],
    claims: [
      methodOrder(0, 'sub', 'scratch', true),
      methodOrder(1, 'sub', 'scratch'),
      methodOrder(5, 'sub', 'scratch'),
      methodOrder(15, 'sub', 'scratch'),
    ],
  };
}
