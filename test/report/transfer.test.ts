/** Where the runs of transfer go in Tables 5 and 13 to 17, and what is said of their conditions. */
import { describe, expect, test } from 'bun:test';
import type { Json } from '../../src/base/json.ts';
import type { Difference, Run } from '../../src/experiment/types.ts';
import { buildTables } from '../../src/report/build.ts';
import { definitionsOf } from '../../src/report/choose.ts';
import type { Table } from '../../src/report/table.ts';
import { conditionLines } from '../../src/report/words.ts';
import type { MetricRecord } from '../../src/stages/result.ts';
import { difference, makePlan, makeRun } from './plan.ts';

const run = (
  architecture: Run['architecture'],
  dataset: Run['dataset'],
  generation: Record<string, Json>,
  differences: Difference[] = [],
): Run => {
  const dotted = Object.entries(generation).map(([name, value]) => [`generation.${name}`, value]);
  const made = makeRun({ dataset, ...Object.fromEntries(dotted) }, differences);
  return {
    ...made,
    id: JSON.stringify([architecture, dataset, generation]),
    architecture,
    task: 'generation',
  };
};

const record = (method: string, epoch: number, value: number, metric = 'accuracy'): MetricRecord => ({
  ...{ metric, labels: { split: 'test', method, epoch }, value, seeded: true },
  ...(metric === 'accuracy' ? { sample: `${method} 0` } : {}),
});

function tableOf(id: number, runs: Run[], measure: (run: Run) => MetricRecord[]): Table {
  const results = new Map(runs.map((one) => [one.id, { status: 'done' as const, records: measure(one) }]));
  return buildTables(makePlan(runs, [id]), results)[0] as Table;
}

const cellOf = ({ cells }: Table, row: string, column: string) =>
  cells.find((cell) => cell.row === row && cell.column === column);

const filled = ({ columnGroups }: Table) =>
  columnGroups.filter(({ hasRuns }) => hasRuns).map(({ title }) => title);

const tablesOf = (one: Run) => definitionsOf({ ...makePlan([one], []), tables: null }).map(({ id }) => id);

describe('a run of generation', () => {
  const cases: [string, Run, number[]][] = [
    ['on its own task', run('resnet18', 'cifar-10', {}), [4, 7]],
    ['of small CNNs for another task', run('cnn-small', 'svhn', { target_dataset: 'mnist' }), [13]],
    ['of ResNet-18 for another task', run('resnet18', 'cifar-10', { target_dataset: 'cifar-100' }), [14]],
    ['near few others', run('resnet18', 'cifar-100', { prompt_zoo: { dataset: 'tiny-imagenet' } }), [5]],
    [
      'of a larger architecture',
      run('resnet18', 'cifar-100', { prompt_zoo: { architecture: 'resnet34' }, prompt_count: 3 }),
      [15],
    ],
    [
      'of a larger architecture for images that stand in for the same',
      run('resnet18', 'fashion-mnist', { prompt_zoo: { architecture: 'resnet34' }, prompt_count: 3 }),
      [15],
    ],
    [
      'of a larger architecture for images that stand in for others',
      run('resnet18', 'fashion-mnist', {
        prompt_zoo: { architecture: 'resnet34', dataset: 'glyphs' },
        prompt_count: 3,
      }),
      [16],
    ],
    [
      'of a larger architecture near one',
      run('resnet18', 'cifar-100', { prompt_zoo: { architecture: 'resnet34' }, prompt_count: 1 }),
      [17],
    ],
    [
      'of another architecture',
      run('resnet18', 'cifar-100', { prompt_zoo: { architecture: 'densenet121' } }),
      [],
    ],
  ];
  test.each(cases)('%s is in the tables of that alone', (_, one, tables) => {
    expect(tablesOf(one)).toEqual(tables);
  });
});

test('groups are of the zoo’s data set and of that on which networks are measured; others stand in for both', () => {
  const runs = [
    run('cnn-small', 'svhn', { target_dataset: 'mnist' }),
    run('cnn-small', 'fashion-mnist', { target_dataset: 'glyphs' }, [
      difference('generation.target_dataset', 'glyphs', null),
      difference('zoo.models', 9, 1000),
    ]),
    // The paper has nothing like it.
    run('cnn-small', 'mnist', { target_dataset: 'svhn' }),
  ];
  const table = tableOf(13, runs, ({ dataset }) => [
    record('sub', 0, dataset === 'svhn' ? 0.4 : 0.3),
    record('finetuned', 0, 0.35),
  ]);
  expect(filled(table)).toEqual(['SVHN to MNIST', 'fashion-mnist to glyphs (paper: SVHN to MNIST)']);
  expect(cellOf(table, 'sub', 'svhn to mnist/0')).toMatchObject({
    measured: { mean: 40 },
    paper: { mean: 37.9 },
    status: 'inconclusive',
  });
  expect(cellOf(table, 'sub', 'fashion-mnist to glyphs/0')).toMatchObject({
    measured: { mean: 30 },
    status: 'scaled',
  });
  const where = 'fashion-mnist to glyphs (paper: SVHN to MNIST)';
  expect(conditionLines(table)).toEqual([
    `${where}: dataset fashion-mnist (paper svhn)`,
    `${where}: target data set glyphs (paper mnist)`,
    `${where}: zoo.models 9 (paper 1000)`,
  ]);
  expect(table.claims.slice(0, 3).map(({ verdict, detail }) => [verdict, detail])).toEqual([
    ['inconclusive', 'Ep 0 +5.0 inconclusive'],
    [null, 'not measured'],
    ['inconclusive', 'Ep 0 -5.0 inconclusive'],
  ]);
});

test('networks from scratch do not depend on SANE, nor on generation where they are the zoo’s', () => {
  const smaller = [difference('sane.d_model', 64, 1024), difference('generation.candidates', 9, 50)];
  const statuses = (settings: Record<string, Json>) => {
    const table = tableOf(3, [run('cnn-small', 'mnist', settings, smaller)], () => [
      record('scratch', 1, 0.206),
      record('sub', 1, 0.875),
    ]);
    return ['1 scratch', '1 sub'].map((row) => table.cells.find((cell) => cell.row === row)?.status);
  };
  expect(statuses({})).toEqual(['inconclusive', 'scaled']);
});

test('scratch in Table 14 is never under the paper’s conditions', () => {
  const runs = [run('resnet18', 'cifar-10', { target_dataset: 'cifar-100', epochs: [0, 1, 5, 15] })];
  const table = tableOf(14, runs, () => [record('scratch', 1, 0.175), record('sub', 1, 0.264)]);
  expect(cellOf(table, '1 scratch', 'cifar-10 to cifar-100/accuracy')).toMatchObject({
    status: 'scaled',
  });
  expect(conditionLines(table)).toEqual([
    'tr. fr. scratch: schedule of training that of the fine-tuning (paper that of the target zoo, 50 or 60 epochs)',
  ]);
  expect(cellOf(table, '1 sub', 'cifar-10 to cifar-100/accuracy')).toMatchObject({
    status: 'inconclusive',
  });
});

test('Table 5 has the ensemble after the last epoch, and tells what the prompts’ zoo is not', () => {
  const generation = (zoo: Record<string, Json>) => ({
    ...{ prompt_zoo: { dataset: 'tiny-imagenet', zoo }, prompt_count: 5, samples: 15, epochs: [0, 1, 2] },
  });
  const records = [
    record('scratch', 2, 0.285),
    record('sub', 2, 0.61),
    record('sub', 2, 0.64, 'ensemble-accuracy'),
    record('sub', 1, 0.5, 'ensemble-accuracy'),
  ];
  const column = 'cifar-100 to tiny-imagenet/sub';
  const as = tableOf(5, [run('resnet18', 'cifar-100', generation({ epochs: 25 }))], () => records);
  expect(cellOf(as, 'ensemble', column)).toMatchObject({
    measured: { mean: 64, n: 1 },
    status: 'inconclusive',
  });
  expect(cellOf(as, '2', column)).toMatchObject({ measured: { mean: 61 }, status: 'inconclusive' });
  const shown = difference('generation.prompt_zoo', { dataset: 'tiny-imagenet' }, null);
  const other = tableOf(5, [run('resnet18', 'cifar-100', generation({ epochs: 9 }), [shown])], () => records);
  expect(cellOf(other, '2', column)).toMatchObject({ status: 'scaled' });
  expect(conditionLines(other)).toEqual(['generation.prompt_zoo.zoo.epochs 9 (paper 25)']);
  const zoos: [Record<string, Json>, string][] = [
    [{ epochs: 25, models: 8, seed: 3, checkpoints: [1, 25] }, ''],
    [
      { epochs: 25, checkpoints: [1, 2] },
      'generation.prompt_zoo.zoo.checkpoints [1,2] (paper [1,3,5,10,15,20,25])',
    ],
    [{ epochs: 25, learning_rate: 3 }, 'generation.prompt_zoo.zoo.learning_rate 3 (paper 0.0003)'],
  ];
  for (const [zoo, said] of zoos) {
    const table = tableOf(5, [run('resnet18', 'cifar-100', generation(zoo), [shown])], () => records);
    expect(cellOf(table, '2', column)).toMatchObject({ status: said ? 'scaled' : 'inconclusive' });
    expect(conditionLines(table)).toEqual(said ? [said] : []);
  }
});

test('Tables 15 to 17 have a column for each budget, and the ensemble at its end', () => {
  const runs = [
    [0, 1, 5],
    [0, 1, 5, 15],
  ].map((epochs) =>
    run('resnet18', 'cifar-100', {
      ...{
        prompt_zoo: { architecture: 'resnet34', zoo: { epochs: 2 } },
        prompt_count: 3,
        samples: 5,
        epochs,
      },
    }),
  );
  const table = tableOf(15, runs, ({ settings: { generation } }) =>
    generation.epochs.flatMap((epoch) => [
      record('sub', epoch, epoch / 100),
      record('sub', epoch, (epoch + generation.epochs.length) / 100, 'ensemble-accuracy'),
    ]),
  );
  expect(filled(table)).toEqual(['CIFAR-100']);
  const means = (row: string) =>
    [5, 15].map((budget) => cellOf(table, row, `cifar-100 to cifar-100/${budget}`)?.measured?.mean);
  expect(means('1 sub')).toEqual([1, 1]);
  expect(means('15 sub')).toEqual([undefined, 15]);
  expect(means('ensemble')).toEqual([8, 19]);
});
