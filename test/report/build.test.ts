/** From runs and records to tables: what is averaged, what stands beside it, and its status. */
import { describe, expect, test } from 'bun:test';
import schema from '../../schemas/experiment.schema.json';
import type { Json } from '../../src/base/json.ts';
import { Random } from '../../src/base/random.ts';
import type { Difference, Run } from '../../src/experiment/types.ts';
import { buildTables } from '../../src/report/build.ts';
import type { TableDefinition } from '../../src/report/definition.ts';
import { labelsOf } from '../../src/report/groups.ts';
import { layOut } from '../../src/report/layout.ts';
import type { RunResult } from '../../src/report/measure.ts';
import { paperValue, readPaperTable, sameLabels } from '../../src/report/paper.ts';
import type { Measured, Table } from '../../src/report/table.ts';
import { tableDefinitions } from '../../src/report/tables/registry.ts';
import { conditionLines } from '../../src/report/words.ts';
import { defaults } from '../../src/stages/catalogue.ts';
import { generation } from '../../src/stages/generation/plan.ts';
import { propertyPrediction } from '../../src/stages/property-prediction/plan.ts';
import { r2 as scoreOf } from '../../src/stages/property-prediction/ridge.ts';
import type { MetricRecord } from '../../src/stages/result.ts';
import { testSeed } from '../seed.ts';
import { difference, makePlan, makeRun, r2 } from './plan.ts';

/** One table of runs that are all done, with the records that `measure` gives for each. */
function tableOf(id: number, runs: Run[], measure: (run: Run) => MetricRecord[]): Table {
  const results = new Map(runs.map((run) => [run.id, { status: 'done' as const, records: measure(run) }]));
  return buildTables(makePlan(runs, [id]), results)[0] as Table;
}

function cellOf(table: Table, row: string, column: string) {
  const cell = table.cells.find((cell) => cell.row === row && cell.column === column);
  if (!cell) throw new Error(`no cell ${row} ${column} among ${table.cells.map(({ column }) => column)}`);
  return cell;
}

const generating = (run: Run): Run => ({ ...run, task: 'generation' });

const seeds = (n: number, axes = {}, differences: Difference[] = []) =>
  Array.from({ length: n }, (_, seed) => makeRun({ ...axes, seed }, differences));

describe('the registry of tables', () => {
  test('defines every table that an experiment can ask for, and no other', () => {
    expect(tableDefinitions.map(({ id }) => id)).toEqual(schema.$defs.table.else.enum);
  });

  test('names the places of the paper’s table', () => {
    for (const { id, groups, ...definition } of tableDefinitions) {
      const paper = readPaperTable(id);
      const isPapers = ({ beyondPaper }: { beyondPaper?: true }) => !beyondPaper;
      const [rows, columns] = [definition.rows.filter(isPapers), definition.columns.filter(isPapers)];
      for (const group of groups) {
        for (const row of rows) {
          for (const column of columns) {
            const across = { ...labelsOf(group), ...column.labels };
            const found = paper.cells.filter(
              (cell) => sameLabels(cell.row, row.labels) && sameLabels(cell.column, across),
            );
            expect({
              id,
              group: group.title,
              row: row.key,
              column: column.key,
              found: found.length,
            }).toHaveProperty('found', 1);
          }
        }
      }
      expect(paper.cells.length).toBe(groups.length * rows.length * columns.length);
    }
  });

  test('has no number of the paper, and nothing in bold, where novelty is', () => {
    const run: Run = { ...makeRun({}), task: 'generation' };
    const of = (metric: string, method: string, value: number): MetricRecord => ({
      ...{ metric, labels: { split: 'test', method, epoch: 0 }, value, seeded: true, sample: method },
    });
    const records = ['sub', 'noise'].flatMap((method, i) => [
      of('accuracy', method, 0.6 + 0.1 * i),
      of('error-overlap', method, 0.4 + 0.1 * i),
    ]);
    const shown = layOut(
      tableOf(3, [run], () => records),
      {},
    ).blocks.flat();
    expect(
      shown.map(({ titles, cells }) => [
        ...titles,
        ...cells.map(({ text, best }) => text + (best ? '*' : '')),
      ]),
    ).toEqual([
      ['0', 'SANE_SUB', '60.0', '86.7 ± 0.8'],
      ['0', 'Prompts + noise', '70.0*', '–'],
      ['Errors as a training network', 'SANE_SUB', '40.0', '–'],
      ['Errors as a training network', 'Prompts + noise', '50.0', '–'],
    ]);
  });

  test('is asked for a table that it does not have', () => {
    expect(() => buildTables(makePlan([], [8]), new Map())).toThrow(
      'Table 8 has no definition in src/report/tables.',
    );
  });
});

describe('a measured cell', () => {
  test('averages seeds and zoos, and counts what the seed has no part in once for each zoo', () => {
    const random = new Random(testSeed, 'averages');
    const runs = [0, 1].flatMap((zoo) => seeds(3, { 'zoo.seed': zoo }));
    const sane = new Map(runs.map(({ id }) => [id, random.uniform(-5, 1)]));
    const weights = [0.25, 0.75];
    const table = tableOf(1, runs, ({ id, settings }) => [
      r2('sane', 'epoch', sane.get(id) as number),
      r2('sane', 'epoch', 99, 'val'),
      r2('weights', 'epoch', weights[settings.zoo.seed] as number),
    ]);
    const values = [...sane.values()];
    const mean = values.reduce((a, b) => a + b) / 6;
    const half = (from: number) => values.slice(from, from + 3).reduce((a, b) => a + b) / 3;
    const measured = cellOf(table, 'epoch', 'mnist/sane').measured;
    expect(measured?.mean).toBeCloseTo(mean, 12);
    expect(measured?.sd).toBeCloseTo(Math.abs(half(0) - half(3)) / Math.SQRT2, 12);
    const { interval, ...ofWeights } = cellOf(table, 'epoch', 'mnist/weights').measured as Measured;
    expect(ofWeights).toEqual({ mean: 0.5, sd: Math.sqrt(0.125), n: 2, of: 'zoo', models: null });
    // By the t distribution with one degree of freedom: 12.7062 standard errors.
    expect(interval?.map((end) => end.toFixed(4))).toEqual(['-2.6766', '3.6766']);
    expect(table.notes).toContain('n = 2 zoos.');
  });

  test('has no ± for one result', () => {
    const table = tableOf(1, seeds(3), () => [r2('weights', 'ggap', 0.3)]);
    expect(cellOf(table, 'ggap', 'mnist/weights').measured).toEqual({
      ...{ mean: 0.3, sd: null, n: 1, of: 'zoo', models: null, interval: null },
    });
  });

  test('is inconclusive where nothing says how certain it is, however near the paper’s it is', () => {
    const table = tableOf(1, seeds(3), () => [r2('weights', 'epoch', 0.953), r2('sane', 'epoch', 0.958)]);
    const cells = ['weights', 'sane'].map((name) => cellOf(table, 'epoch', `mnist/${name}`));
    expect(cells.map(({ status }) => status)).toEqual(['inconclusive', 'inconclusive']);
    expect(cells.map(({ difference }) => difference)).toEqual([null, null]);
    expect(cells[0]?.paper).toEqual({ mean: 0.953, sd: null, n: null });
  });

  test('of R² has the interval over test models, paired in differences, where predictions are kept', () => {
    const tested = Array.from({ length: 120 }, (_, i) => ({ model: `m${i % 30}`, test_accuracy: 0 }));
    const targets = new Random(testSeed, 'targets');
    const actual = tested.map(() => targets.normal());
    /** Each error is its model's, so that the four checkpoints of a model are as one. What the seed has no part in is the same in all runs. */
    const predict = (feature: string, noise: number, seed: number) => {
      const random = new Random(testSeed, feature, feature === 'sane' ? seed : 0);
      const errors = Array.from({ length: 30 }, () => noise * random.normal());
      const values = actual.map((value, i) => value + (errors[i % 30] as number));
      return { feature, target: 'epoch', values, actual };
    };
    const runs = seeds(2);
    const results = new Map(
      runs.map(({ id, seed }): [string, RunResult] => {
        const predictions = [
          predict('weights', 0.8, seed),
          predict('statistics', 0.1, seed),
          predict('sane', 0.1, seed),
        ];
        const records = predictions.map(({ feature, values }) =>
          r2(feature, 'epoch', scoreOf(Float64Array.from(actual), Float64Array.from(values))),
        );
        return [id, { status: 'done', records, predictions: { tested, predictions } }];
      }),
    );
    const table = buildTables(makePlan(runs, [1]), results)[0] as Table;
    const [weights, sane] = ['weights', 'sane'].map((name) => cellOf(table, 'epoch', `mnist/${name}`));
    expect(weights?.measured).toMatchObject({ n: 1, of: 'zoo', models: 30 });
    expect(sane?.measured).toMatchObject({ n: 2, of: 'seed', models: 30 });
    for (const measured of [weights?.measured, sane?.measured]) {
      const [low = 0, high = 0] = measured?.interval ?? [];
      expect(low).toBeLessThan(measured?.mean ?? 0);
      expect(high).toBeGreaterThan(measured?.mean ?? 1);
    }
    // About 0.4 and 0.99; the paper has 0.953 and 0.958.
    expect([weights?.status, sane?.status]).toEqual(['different', 'different']);
    expect(weights?.difference?.[1]).toBeLessThan(-0.02);
    expect(table.claims[0]?.verdict).toBe('holds');
    expect(table.claims[0]?.detail).toMatch(/^Ep \+0\.\d{3} \[0\.\d{3}, \d\.\d{3}\] holds$/);
    const notes = table.notes.join('\n');
    expect(notes).toMatch(/SANE less s\(W\): Ep [-+]?0\.0\d\d \[-0\.0\d\d, 0\.0\d\d\]\./);
    expect(notes).toContain('[…] are 95 % intervals: 30 test models drawn with replacement');
    expect(notes).toContain('lies within ±0.020 (two one-sided tests at 5 %)');
    expect(table.notes).toContain(
      'Where the paper has no ±, its number is taken to be as uncertain as ours.',
    );
    // Of older results the targets were not kept.
    const older = new Map(
      [...results].map(([id, result]): [string, RunResult] => {
        if (result.status !== 'done' || !result.predictions) return [id, result];
        const predictions = result.predictions.predictions.map(({ actual, ...rest }) => rest);
        return [id, { ...result, predictions: { tested, predictions } }];
      }),
    );
    const without = buildTables(makePlan(runs, [1]), older)[0] as Table;
    expect(cellOf(without, 'epoch', 'mnist/sane')).toMatchObject({
      ...{ measured: { interval: null }, status: 'inconclusive' },
    });
    expect(without.notes.join('\n')).toContain('a run kept no predictions');
  });

  test('of sampled networks has its ± over seeds, of one seed over its samples, from scratch over all models', () => {
    const accuracy = (method: string, sample: string, value: number, seeded = true): MetricRecord => ({
      ...{ metric: 'accuracy', labels: { split: 'test', method, epoch: 0 }, value, sample, seeded },
    });
    const table = (n: number) =>
      tableOf(3, seeds(n).map(generating), ({ seed }) => [
        ...[0, 1, 2].map((i) => accuracy('sub', `sub ${i}`, 0.86 + seed / 100 + i / 1000)),
        ...[0, 1].map((i) => accuracy('prompts', `prompts ${i}`, 0.9 + i / 100)),
        ...[0, 1].map((i) => accuracy('scratch', `model-${i}`, 0.1 + i / 100, false)),
      ]);
    const measured = (n: number, method: string) =>
      cellOf(table(n), `0 ${method}`, 'mnist/accuracy').measured as Measured;
    expect(measured(2, 'sub')).toMatchObject({ n: 2, of: 'seed', models: null });
    expect(measured(2, 'sub').mean).toBeCloseTo(86.6, 10);
    expect(measured(2, 'sub').sd).toBeCloseTo(1 / Math.SQRT2, 10);
    expect(measured(1, 'sub')).toMatchObject({ n: 3, of: 'sample' });
    expect(measured(1, 'sub').sd).toBeCloseTo(0.1, 10);
    // Prompts are the same models in runs of all seeds.
    expect(measured(2, 'prompts')).toMatchObject({ n: 2, of: 'model' });
    for (const n of [1, 2]) expect(measured(n, 'scratch')).toMatchObject({ n: 2, of: 'model' });
  });

  test('of samples is captioned with how many were drawn and kept by which images, and with what was chosen by looking', () => {
    const records = [
      { ...r2('sane', 'epoch', 0), metric: 'accuracy', labels: { split: 'test', method: 'sub', epoch: 0 } },
    ];
    const table = (id: number, axes: Record<string, Json>, differences: Difference[] = []) => {
      const run = makeRun({ 'generation.methods': ['scratch', 'kde30', 'sub'], ...axes }, differences);
      return tableOf(id, [generating(run)], () => records);
    };
    // Table 3 has no row of `boot`.
    const own = table(3, { 'generation.methods': ['scratch', 'kde30', 'sub', 'boot'] });
    expect(own.caption).toEndWith(
      'Here SANE_KDE30 has all 10 drawn, SANE_SUB has the best 10 of 50 drawn; the best by accuracy on the images that are neither of the training nor of the test.',
    );
    expect(table(3, {}).notes).toContain(
      'Chosen by looking at results: generation.bandwidth 0.1 (by the accuracy and novelty of samples near held-out prompts, bench/bandwidth.ts).',
    );
    const whole = difference('hyper_representation.view_2', 'canonical', 'permuted');
    const views = {
      'generation.methods': ['hyper-representation'],
      'hyper_representation.view_2': 'canonical',
    };
    expect(table(3, views, [whole]).notes).toContain(
      'Chosen by looking at results: hyper_representation.view_2 canonical (by the accuracy of samples).',
    );
    const methods = ['gauss'];
    const other = table(
      3,
      { 'generation.methods': methods, 'generation.validation_images': 0, 'sane.gamma': 0.01 },
      [difference('sane.gamma', 0.01, 0.05)],
    );
    expect(other.caption).toEndWith(
      'Here SANE_GAUSS has the best 10 of 50 drawn in the last of 5 rounds; the best by accuracy on the training images.',
    );
    expect(other.notes.find((note) => note.startsWith('Chosen'))).toMatch(
      /: sane\.gamma 0\.01 \(.*\); .* generation\.rounds 5 \(by /,
    );
    // The released code's values are no choice of ours.
    const released = { 'generation.bandwidth_unit': 'absolute', 'generation.bandwidth': 0.2 };
    expect(table(3, released).notes.join()).not.toContain('Chosen');
    expect(table(3, { 'generation.methods': ['scratch'] }).caption).not.toContain('Here');
  });

  test('of a smaller experiment is scaled, and says how', () => {
    const table = tableOf(
      1,
      seeds(2, {}, [difference('zoo.models', 60, 1000), difference('zoo.epochs', 25, 50)]),
      () => [r2('sane', 'epoch', 0.958)],
    );
    const cell = cellOf(table, 'epoch', 'mnist/sane');
    expect(cell.status).toBe('scaled');
    expect(cell.note).toBe('');
    expect(conditionLines(table)).toEqual(['zoo.models 60 (paper 1000)', 'zoo.epochs 25 (paper 50)']);
  });

  test('that does not depend on what is smaller is under the paper’s conditions', () => {
    const statuses = (setting: string, id: number, run: object, records: MetricRecord[], cells: string[]) => {
      const table = tableOf(id, seeds(2, run, [difference(setting, 64, 1024)]), () => records);
      return cells.map((cell) => cellOf(table, ...(cell.split(' ') as [string, string])).status);
    };
    const r2s = [r2('sane', 'epoch', 0.958), r2('weights', 'epoch', 0.953)];
    const cells = ['epoch mnist/sane', 'epoch mnist/weights'];
    expect(statuses('sane.d_model', 1, {}, r2s, cells)).toEqual(['scaled', 'inconclusive']);
    expect(statuses('sane.token_size', 1, {}, r2s, cells)).toEqual(['scaled', 'inconclusive']);
    expect(statuses('sane.batch_norm_tokens', 1, {}, r2s, cells)).toEqual(['scaled', 'scaled']);
    expect(statuses('data.train_images', 1, {}, r2s, cells)).toEqual(['scaled', 'scaled']);
    const read = (labels: Record<string, string>, { task } = generation) => task?.dependsOn(defaults, labels);
    for (const method of ['finetuned', 'prompts', 'noise', 'average', 'flow', 'held-out'])
      expect(read({ method })).not.toContain('sane');
    expect(read({ method: 'sub' })).toContain('sane');
    expect(read({ feature: 'untrained' }, propertyPrediction)).toContain('sane.d_model');
    for (const name of ['sane', 'sane.epochs', 'sane.gamma'])
      expect(read({ feature: 'untrained' }, propertyPrediction)).not.toContain(name);
  });
});

describe('a cell without a whole measurement', () => {
  const outcome = (results: RunResult[]) => {
    const runs = seeds(results.length);
    const byId = new Map(runs.map(({ id }, i) => [id, results[i] as RunResult]));
    return cellOf(buildTables(makePlan(runs, [1]), byId)[0] as Table, 'epoch', 'mnist/sane');
  };
  const done = (value: number): RunResult => ({ status: 'done', records: [r2('sane', 'epoch', value)] });

  test('fails with the reasons of its runs, each once and on one line', () => {
    const reason = 'worker\n  \u001b[31mkilled\u001b[0m';
    const cell = outcome([{ status: 'failed', reason }, { status: 'failed', reason }, done(0.95)]);
    expect(cell.status).toBe('failed');
    expect(cell.measured).toMatchObject({ mean: 0.95, sd: null, n: 1 });
    expect(cell.note).toBe('2 of 3 runs failed: worker killed');
  });

  test('fails where results disagree that the seed has no part in', () => {
    const values = [0.9, 0.9, 0.8];
    const table = tableOf(1, seeds(3), ({ seed }) => [r2('weights', 'epoch', values[seed] as number)]);
    const { status, note } = cellOf(table, 'epoch', 'mnist/weights');
    expect(status).toBe('failed');
    expect(note).toContain("results that the run's seed has no part in disagree: 0.9 and 0.8 (seed=2)");
    const same = tableOf(1, seeds(3), () => [r2('weights', 'epoch', 0.9)]);
    expect(cellOf(same, 'epoch', 'mnist/weights').status).not.toBe('failed');
  });

  test('names no folder of the machine in its reasons', () => {
    const reason =
      "ENOENT: no such file, open '/home/somebody/x/.exp/zoo/a1/manifest.json' (/root/b): 1/2 a/b";
    const runs = seeds(1);
    const results = new Map(runs.map(({ id }) => [id, { status: 'failed' as const, reason }]));
    const [table] = buildTables(makePlan(runs, [1]), results) as [Table];
    const { note } = cellOf(table, 'epoch', 'mnist/weights');
    expect(note).toContain("ENOENT: no such file, open '…/manifest.json' (…/b): 1/2 a/b");
  });

  test('fails where a result is not a number', () => {
    const cell = outcome([done(Number.NaN), done(0.95)]);
    expect(cell).toMatchObject({ status: 'failed', note: 'a result is not a finite number' });
    expect(cell.measured?.n).toBe(1);
  });

  test('is missing while nothing is finished, and counts what is not', () => {
    expect(outcome([{ status: 'missing' }, { status: 'missing' }])).toMatchObject({
      status: 'missing',
      measured: null,
      note: '2 of 2 runs not finished',
    });
    expect(outcome([{ status: 'missing' }, done(0.958)])).toMatchObject({
      status: 'inconclusive',
      note: '1 of 2 runs not finished',
    });
  });

  test('is missing where the runs do not measure it', () => {
    const cell = outcome([{ status: 'done', records: [r2('weights', 'epoch', 0.9)] }]);
    expect(cell).toMatchObject({ status: 'missing', pending: false, note: '' });
  });

  test('is missing where no run result is known', () => {
    const table = buildTables(makePlan(seeds(2), [1]), new Map())[0] as Table;
    expect(cellOf(table, 'epoch', 'mnist/sane').note).toBe('2 of 2 runs not finished');
  });
});

describe('column groups', () => {
  test('without runs keep the paper’s numbers', () => {
    const table = tableOf(9, seeds(1), () => []);
    expect(table.columnGroups).toEqual([
      { key: 'mnist', title: 'MNIST', hasRuns: true },
      { key: 'svhn', title: 'SVHN', hasRuns: false },
      { key: 'cifar-10', title: 'CIFAR-10 (CNN)', hasRuns: false },
      { key: 'stl-10', title: 'STL-10', hasRuns: false },
    ]);
    expect(cellOf(table, 'test-accuracy', 'stl-10/weights')).toEqual({
      row: 'test-accuracy',
      column: 'stl-10/weights',
      measured: null,
      paper: { mean: -18.818, sd: null, n: null },
      status: 'missing',
      difference: null,
      pending: false,
      note: '',
    });
  });

  test('of data sets that stand in for one of the paper’s show its numbers and are scaled', () => {
    const runs = ['mnist', 'glyphs', 'fashion-mnist'].flatMap((dataset) => seeds(2, { dataset }));
    const table = tableOf(1, runs, () => [r2('sane', 'ggap', 0.402)]);
    expect(table.columnGroups.slice(0, 3).map(({ title }) => title)).toEqual([
      'MNIST',
      'glyphs (paper: MNIST)',
      'fashion-mnist (paper: MNIST)',
    ]);
    expect(cellOf(table, 'ggap', 'mnist/sane').status).toBe('inconclusive');
    expect(cellOf(table, 'ggap', 'glyphs/sane')).toMatchObject({
      paper: { mean: 0.402, sd: null, n: null },
      status: 'scaled',
      note: '',
    });
    expect(conditionLines(table)).toEqual([
      'glyphs (paper: MNIST): dataset glyphs (paper MNIST)',
      'fashion-mnist (paper: MNIST): dataset fashion-mnist (paper MNIST)',
    ]);
  });

  test('hold runs that differ in their seeds only, and are titled by what else differs', () => {
    const runs = [5, 10].flatMap((epochs) => seeds(2, { dataset: 'glyphs', 'sane.epochs': epochs }));
    const table = tableOf(10, runs, ({ settings }) => [r2('sane', 'epoch', settings.sane.epochs / 100)]);
    expect(table.columnGroups.map(({ title }) => title)).toEqual([
      'glyphs (paper: MNIST), sane.epochs=5',
      'glyphs (paper: MNIST), sane.epochs=10',
    ]);
    const means = ['glyphs,sane.epochs=5/sane', 'glyphs,sane.epochs=10/sane'].map(
      (column) => cellOf(table, 'epoch', column).measured?.mean,
    );
    expect(means).toEqual([0.05, 0.1]);
  });

  test('are not shown apart by what changes no number', () => {
    const runs = [1, 2].flatMap((models_at_once) =>
      seeds(2, { dataset: 'mnist', 'zoo.models_at_once': models_at_once }),
    );
    const table = tableOf(10, runs, ({ seed }) => [r2('sane', 'epoch', seed)]);
    expect(table.columnGroups.filter(({ hasRuns }) => hasRuns).map(({ title }) => title)).toEqual(['MNIST']);
    expect(cellOf(table, 'epoch', 'mnist/sane').measured).toMatchObject({ mean: 0.5, n: 2 });
  });

  test('keep published columns that no run fills', () => {
    const table = tableOf(10, seeds(1), () => [r2('statistics-2021', 'epoch', 1)]);
    expect(cellOf(table, 'epoch', 'mnist/statistics-2021')).toMatchObject({
      measured: null,
      paper: { mean: 0.987, sd: null, n: null },
      status: 'missing',
      note: 'published in 2021 with another setup; not measured here',
    });
  });
});

describe('rows that stand for settings', () => {
  test('take the records of the runs that have them, in one group', () => {
    const conditions = [
      [false, 0, 0.1],
      [true, 0, 0.2],
      [false, 9, 0.3],
      [true, 9, 0.4],
    ] as const;
    const runs = conditions.map(
      ([halo, conditioning]): Run => ({
        ...makeRun(
          {
            ...{
              dataset: 'fashion-mnist',
              'generation.halo': halo,
              'generation.conditioning_batches': conditioning,
            },
            // Which methods a run has is no condition of their numbers.
            'generation.methods': halo ? ['scratch', 'kde30', 'sub'] : ['kde30'],
          },
          [
            difference('generation.conditioning_batches', conditioning, 200),
            difference('zoo.models', 9, 1000),
          ],
        ),
        architecture: 'resnet18',
        task: 'generation',
      }),
    );
    const value = ({ settings: { generation } }: Run) =>
      conditions.find(([halo, n]) => halo === generation.halo && n === generation.conditioning_batches)![2];
    const table = tableOf(7, runs, (run) => [
      ...[0, 1].map(
        (i): MetricRecord => ({
          ...{ metric: 'accuracy', labels: { split: 'test', method: 'kde30', epoch: 0 }, seeded: true },
          ...{ value: value(run) + i / 100, sample: `kde30 ${i}` },
        }),
      ),
      {
        ...{ metric: 'accuracy', labels: { split: 'test', method: 'scratch', epoch: 0 }, seeded: false },
        ...{ value: 0.05, sample: 'model-1' },
      },
      {
        ...{ metric: 'accuracy', labels: { split: 'test', method: 'sub', epoch: 0 }, seeded: true },
        ...{ value: 0.9, sample: 'sub 0' },
      },
    ]);
    expect(table.columnGroups.map(({ title }) => title)).toEqual(['fashion-mnist (paper: CIFAR-10)']);
    const measured = table.rows.map(({ key }) => cellOf(table, key, 'fashion-mnist/0').measured);
    expect(measured.map((one) => [one?.n, one?.mean.toFixed(3)])).toEqual([
      [1, '5.000'],
      [2, '10.500'],
      [2, '20.500'],
      [2, '30.500'],
      [2, '40.500'],
    ]);
    const { paper } = cellOf(table, 'both', 'fashion-mnist/0');
    expect(table.notes[1]).toBe(
      'n = 1 model for rand init; n = 2 samples of one seed for naive, Haloed, BN-cond, Haloed+BN-cond.',
    );
    expect(conditionLines(table)).toEqual([
      'dataset fashion-mnist (paper CIFAR-10)',
      'zoo.models 9 (paper 1000)',
    ]);
    expect(paper).toEqual({ mean: 64.8, sd: 2.1, n: null });
    // One network from scratch says nothing of its uncertainty.
    expect(table.claims.map(({ verdict }) => verdict)).toEqual(['holds', 'holds', 'holds', 'inconclusive']);
  });
});

test.each([3, 4, 7])('transfer is not in Table %d', (id) => {
  const run = (axes: Parameters<typeof makeRun>[0]): Run => ({
    ...makeRun(axes),
    ...{ task: 'generation', architecture: id === 3 ? 'cnn-small' : 'resnet18', dataset: 'cifar-10' },
  });
  const accepted = ({ accepts }: TableDefinition) =>
    [{}, { 'generation.target_dataset': 'cifar-100' }, { 'generation.prompt_zoo': {} }].map((axes) =>
      accepts(run(axes)),
    );
  expect(accepted(tableDefinitions.find((one) => one.id === id)!)).toEqual([true, false, false]);
});

describe('claims', () => {
  const text = 'SANE predicts better than the weights (W)';
  const targets = ['test-accuracy', 'epoch', 'ggap'];
  /** Two zoos, in which SANE differs from the weights by these, and by a little more in the second. */
  const claimsOf = (leads: readonly number[], noise = 0.002, weights = 0.5) => {
    const runs = [0, 1].map((zoo) => makeRun({ dataset: 'glyphs', 'zoo.seed': zoo }));
    const records = ({ settings: { zoo } }: Run) =>
      leads.flatMap((lead, i) => [
        r2('sane', targets[i] as string, weights + lead + noise * zoo.seed),
        r2('weights', targets[i] as string, weights),
      ]);
    return tableOf(1, runs, records).claims;
  };

  test('hold where the interval is above 0 in every row, fail where it is below in one', () => {
    expect(claimsOf([0.1, 0.25])).toEqual([
      {
        ...{ text, verdict: 'holds' },
        detail: 'Acc +0.101 [0.088, 0.114] holds, Ep +0.251 [0.238, 0.264] holds',
      },
    ]);
    expect(claimsOf([0.1, -0.1])).toEqual([
      {
        ...{ text, verdict: 'fails' },
        detail: 'Acc +0.101 [0.088, 0.114] holds, Ep -0.099 [-0.112, -0.086] fails',
      },
    ]);
  });

  test('are inconclusive where the interval has 0 in it, whatever the sign', () => {
    const [claim] = claimsOf([0.1, 0.003]);
    expect(claim?.verdict).toBe('inconclusive');
    expect(claim?.detail).toEndWith('Ep +0.004 [-0.009, 0.017] inconclusive');
  });

  test('do not count where both are at chance, or at the ceiling', () => {
    expect(claimsOf([0.01], 0.002, 0)[0]?.verdict).toBe('trivial');
    expect(claimsOf([-0.01], 0.002, 0.995)[0]?.verdict).toBe('trivial');
    expect(claimsOf([0.1], 0.002, 0)[0]?.verdict).toBe('holds');
    expect(claimsOf([0.01, 0.25], 0.002, 0)[0]).toMatchObject({
      ...{ verdict: 'holds', detail: 'Acc +0.011 [-0.002, 0.024] trivial, Ep +0.251 [0.238, 0.264] holds' },
    });
  });

  test('are open where nothing was measured, and inconclusive for one seed', () => {
    expect(claimsOf([])).toEqual([{ text, verdict: null, detail: 'not measured' }]);
    const records = [r2('sane', 'epoch', 0.9), r2('weights', 'epoch', 0.5)];
    expect(tableOf(1, seeds(1, { dataset: 'glyphs' }), () => records).claims[0]).toMatchObject({
      ...{ verdict: 'inconclusive', detail: 'Ep +0.400 inconclusive' },
    });
  });

  test('are borne out by the paper’s own numbers', () => {
    const judged = new Set<string>();
    for (const { id, groups, rows, columns, claims } of tableDefinitions) {
      const paper = readPaperTable(id);
      for (const group of groups) {
        for (const { of, above, below, orEqual, times = 1, in: places } of claims) {
          const [compared, across] = of === 'columns' ? [columns, rows] : [rows, columns];
          for (const other of across) {
            if (places && !places.includes(other.key)) continue;
            const [high, low] = [above, below].map((wanted) => {
              const one = compared.find(({ key }) => key === wanted);
              const [row, column] = of === 'columns' ? [other, one] : [one, other];
              return paperValue(paper, row?.labels ?? {}, { ...labelsOf(group), ...column?.labels })?.mean;
            });
            // S_KDE30 was not measured on every data set.
            if (high === undefined || low === undefined) continue;
            if (orEqual) expect(high).toBeGreaterThanOrEqual(low);
            else expect(high).toBeGreaterThan(times * low);
            judged.add(`${id} ${above} ${below}`);
          }
        }
      }
    }
    const all = tableDefinitions.flatMap(({ id, claims }) =>
      claims.map((o) => `${id} ${o.above} ${o.below}`),
    );
    expect([...judged].sort()).toEqual(all.sort());
  });
});
