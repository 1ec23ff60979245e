/** Figures: that each shows the data that it is of, and that their files are what they say. */
import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import { correlation } from '../../src/base/correlation.ts';
import { histogram } from '../../src/base/histogram.ts';
import type { Run } from '../../src/experiment/types.ts';
import { buildTables } from '../../src/report/build.ts';
import { drawByArchitecture } from '../../src/report/figures/architectures.ts';
import { drawBySetting } from '../../src/report/figures/by-setting.ts';
import type { Figure } from '../../src/report/figures/draw.ts';
import { drawEmbeddings } from '../../src/report/figures/embeddings.ts';
import type { Analysis } from '../../src/report/figures/evidence.ts';
import {
  drawAccuracyOverFeatures,
  drawFeaturesByLayer,
  type FeaturedNetwork,
  networkFeature,
} from '../../src/report/figures/features.ts';
import { drawHeatMap } from '../../src/report/figures/heat-map.ts';
import { drawNovelty } from '../../src/report/figures/novelty.ts';
import { drawRadar } from '../../src/report/figures/radar.ts';
import { drawSpectra } from '../../src/report/figures/spectra.ts';
import { drawLossByWindow } from '../../src/report/figures/windows.ts';
import { writeFigures } from '../../src/report/figures/write.ts';
import type { RunResult } from '../../src/report/measure.ts';
import { buildPivot } from '../../src/report/pivot.ts';
import type { MetricRecord } from '../../src/stages/result.ts';
import { makePlan, makeRun, r2 } from './plan.ts';

const count = ({ svg }: Figure, pattern: RegExp) => svg.match(pattern)?.length ?? 0;
/** The shapes of marks, without those of legends. */
const shapes = ({ svg }: Figure, mark: string, shape: string) =>
  parseHTML(`<html><body>${svg}</body></html>`).document.querySelectorAll(`[aria-label="${mark}"] ${shape}`)
    .length;

const results = (runs: readonly Run[], records: (run: Run) => MetricRecord[]) =>
  new Map(runs.map((run): [string, RunResult] => [run.id, { status: 'done', records: records(run) }]));

/** Two series; the second has no embeddings and one layer less. */
const networks: FeaturedNetwork[] = [0.2, 0.5, 0.9].flatMap((accuracy, i) => [
  {
    ...{ series: 'a', accuracy },
    layers: [1, 2, 3].map((l) => ({ layer: `l${l}`, alpha: l + i, embedding_spread: l * accuracy })),
  },
  { series: 'b', accuracy, layers: [1, 2].map((l) => ({ layer: `l${l}`, alpha: l - i })) },
]);

describe('features', () => {
  test('by layer have a panel each, with a dot for each layer of each series', () => {
    const figure = drawFeaturesByLayer(networks);
    expect(count(figure, /<svg /g)).toBe(1 + 2);
    expect(shapes(figure, 'dot', 'circle')).toBe(3 + 2 + 3);
    for (const text of ['>alpha<', '>spread of embeddings<', '>a<', '>b<'])
      expect(figure.svg.replaceAll('↑ ', '')).toContain(text);
  });

  test('have a dot for each network of known accuracy, and their correlation with it', () => {
    const figure = drawAccuracyOverFeatures(networks) as Figure;
    expect(shapes(figure, 'dot', 'circle')).toBe(6 + 3);
    const alphas = networks.map(({ layers }) => networkFeature(layers, 'alpha') as number);
    const r = correlation(
      alphas,
      networks.map(({ accuracy }) => accuracy as number),
    );
    expect(figure.svg).toContain(`alpha (r = ${r.toFixed(2)})`);
    expect(figure.svg).toContain('spread of embeddings (r = 1.00)');
    expect(drawAccuracyOverFeatures(networks.map((one) => ({ ...one, accuracy: null })))).toBeNull();
  });
});

test('correlation is Pearson’s', () => {
  // Covariance over the root of both variances, by Python's floats.
  expect(correlation([1, 2, 4, 8], [3, 1, 5, 6])).toBeCloseTo(0.8133919626435625, 12);
  expect(correlation([1, 2, 3], [2, 2, 2])).toBeNaN();
});

test('a histogram counts every value once', () => {
  expect(histogram([0, 0.1, 0.5, 0.99, 1, 2, -1], 0, 1, 4)).toEqual([3, 0, 1, 3]);
  expect(histogram([5, 5], 5, 5, 2)).toEqual([2, 0]);
});

test('embeddings have a dot for each checkpoint, coloured by accuracy', () => {
  const points = [0.1, 0.4, 0.7, 0.95].map((accuracy, i) => ({ x: i, y: i * i, accuracy }));
  const figure = drawEmbeddings({ run: 'seed=0', shares: [0.75, 0.2], points });
  expect(shapes(figure, 'dot', 'circle')).toBe(4);
  const fills = [...figure.svg.matchAll(/<circle [^>]*fill="([^"]*)"/g)].map(([, fill]) => fill);
  expect(new Set(fills).size).toBe(4);
  for (const text of ['component 1 (75 % of the variance)', 'component 2 (20 %', 'accuracy in % 10', '>95<'])
    expect(figure.svg).toContain(text);
});

test('spectra have a histogram for each run above that of distances, in which nothing is lost', () => {
  const analysis = (title: string): Analysis => ({
    ...{ title, networks: [] },
    example: {
      ...{ layer: 'fc1.weight', eigenvalues: [1e-20, 0.1, 0.2, 0.4, 1, 10] },
      distances: { largest: 2, counts: [1, 4, 5, 0] },
    },
  });
  const figure = drawSpectra([analysis('zoo.batch_size=4'), analysis('zoo.batch_size=64')]) as Figure;
  expect(count(figure, /<svg /g)).toBe(1 + 4);
  expect(shapes(figure, 'rect', 'rect')).toBe(2 * (40 + 4));
  expect(figure.svg).toContain('eigenvalues (zoo.batch_size=64)');
  expect(drawSpectra([{ title: 'a', networks: [], example: null }])).toBeNull();
});

test('the loss by window has a dot for each length, and a band over seeds', () => {
  const runs = [0, 1].map((seed): Run => ({ ...makeRun({ seed }), task: 'analysis' }));
  const record = (window: number, value: number): MetricRecord => ({
    ...{ metric: 'reconstruction-loss', labels: { split: 'test', window }, value, seeded: true },
  });
  const found = results(runs, ({ seed }) => [8, 16, 64].map((window) => record(window, 0.1 + seed / window)));
  const figure = drawLossByWindow(runs, found) as Figure;
  expect(shapes(figure, 'dot', 'circle')).toBe(3);
  expect(shapes(figure, 'area', 'path')).toBe(1);
  for (const length of ['>8<', '>16<', '>64<']) expect(figure.svg).toContain(length);
  const other = runs.map((run) => ({ ...run, id: `${run.id} other`, architecture: 'cnn-large' }));
  const both = new Map([...found, ...results(other, () => [record(8, 0.5)])]);
  expect(shapes(drawLossByWindow([...runs, ...other], both) as Figure, 'dot', 'circle')).toBe(4);
  // Nor are settings that vary averaged over.
  const swept = [4, 64].map(
    (size): Run => ({ ...makeRun({ 'zoo.batch_size': size, seed: 0 }), task: 'analysis' }),
  );
  const ofSwept = drawLossByWindow(
    swept,
    results(swept, () => [record(8, 0.5), record(16, 0.4)]),
  ) as Figure;
  expect(shapes(ofSwept, 'dot', 'circle')).toBe(4);
  expect(ofSwept.svg).toContain('>cnn-small, mnist, zoo.batch_size=64<');
  expect(drawLossByWindow(runs, new Map())).toBeNull();
});

const accuracy = (method: string, epoch: number, value: number): MetricRecord => ({
  ...{ metric: 'accuracy', labels: { split: 'test', method, epoch }, value, sample: 'a', seeded: true },
});

test('sampled and scratch have a bar for each architecture at the last epoch, and nothing where there is one', () => {
  const runs = ['resnet34', 'resnet50'].map((architecture): Run => {
    const run = makeRun({ seed: 0, 'generation.epochs': [0, 5], 'generation.prompt_zoo': { architecture } });
    return { ...run, id: architecture, task: 'generation' };
  });
  const found = results(runs, () => [
    accuracy('scratch', 0, 0.1),
    accuracy('scratch', 5, 0.4),
    accuracy('sub', 5, 0.6),
  ]);
  const figure = drawByArchitecture(runs, found) as Figure;
  expect(shapes(figure, 'bar', 'rect')).toBe(4);
  expect(figure.svg).toContain('resnet50, mnist, 5 epochs');
  expect(drawByArchitecture(runs.slice(1), found)).toBeNull();
});

test('a sweep of two settings is a heat map with every mean, and places without one are empty', () => {
  const runs = [8, 16].flatMap((width) =>
    [0, 0.05].map((gamma) => makeRun({ 'sane.d_model': width, 'sane.gamma': gamma, seed: 0 })),
  );
  const found = results(runs.slice(1), ({ settings }) => [r2('sane', 'epoch', settings.sane.d_model / 100)]);
  const request = { metric: 'r2', rows: ['sane.d_model'], columns: ['sane.gamma'], where: {} };
  const figure = drawHeatMap(buildPivot('sweep-r2', request, runs, found)) as Figure;
  expect(figure.name).toBe('sweep-r2');
  expect(shapes(figure, 'cell', 'rect')).toBe(3);
  expect(count(figure, />0\.160</g)).toBe(2);
  const line = { ...request, columns: [] };
  expect(drawHeatMap(buildPivot('sweep-r2', line, runs, found))).toBeNull();
});

describe('a table by a setting', () => {
  const runsOf = (name: string, values: number[]) =>
    values.map((value, i) => makeRun({ dataset: 'mnist', [name]: value, seed: i }));
  const records = ({ settings: { sane } }: Run) => [
    r2('sane', 'test-accuracy', sane.d_model / 400),
    r2('sane', 'ggap', -sane.gamma),
    r2('weights', 'test-accuracy', 0.4),
  ];
  const draw = (runs: Run[]) => drawBySetting(buildTables(makePlan(runs, [1]), results(runs, records)), runs);

  test('has a panel for each row, with a dot for each value and the paper’s numbers dashed', () => {
    const [figure, ...others] = draw(runsOf('sane.d_model', [256, 64, 128])) as [Figure];
    expect(others).toEqual([]);
    expect(figure.name).toBe('table-01-by-sane-d-model');
    expect(count(figure, /<svg /g)).toBe(1 + 2);
    expect(shapes(figure, 'dot', 'circle')).toBe(3 * 2 + 3);
    expect(count(figure, /stroke-dasharray/g)).toBe(2);
    for (const text of ['>W<', '>SANE<', '>64<', '>128<', '>256<', '>Acc, R²<'])
      expect(figure.svg.replaceAll('↑ ', '')).toContain(text);
  });

  test('has 0 on an axis that is not logarithmic', () => {
    const [figure] = draw(runsOf('sane.gamma', [0, 0.05, 0.1])) as [Figure];
    for (const text of ['>0<', '>0.05<', '>0.1<']) expect(figure.svg).toContain(text);
  });

  test('has small numbers on a logarithmic axis as they are', () => {
    const [figure] = draw(runsOf('sane.gamma', [0.03, 0.1, 0.3])) as [Figure];
    for (const text of ['>0.03<', '>0.1<', '>0.3<']) expect(figure.svg).toContain(text);
  });

  test('is of one data set', () => {
    const stand = (dataset: string) =>
      [64, 128, 256].map((d_model, i) => makeRun({ dataset, 'sane.d_model': d_model, seed: i }));
    const figures = draw([...stand('glyphs'), ...stand('fashion-mnist')]);
    expect(figures.map(({ caption }) => caption.split(':')[0])).toEqual([
      'Table 1 by sane.d_model, glyphs',
      'Table 1 by sane.d_model, fashion-mnist',
    ]);
    for (const figure of figures) expect(shapes(figure, 'dot', 'circle')).toBe(3 * 2 + 3);
    expect(draw([...stand('glyphs').slice(1), ...stand('fashion-mnist').slice(1)])).toEqual([]);
  });

  test('is not drawn of two values, nor of two settings, nor of what was not measured', () => {
    expect(draw(runsOf('sane.d_model', [64, 128]))).toEqual([]);
    const runs = runsOf('sane.d_model', [64, 128, 256]);
    const found = results(runs.slice(1), records);
    expect(drawBySetting(buildTables(makePlan(runs, [1]), found), runs)).toEqual([]);
    const both = [64, 128, 256].map((d_model, i) =>
      makeRun({ dataset: 'mnist', 'sane.d_model': d_model, 'sane.gamma': i / 10 }),
    );
    expect(draw(both)).toEqual([]);
  });
});

describe('the radar', () => {
  const properties = makeRun({ dataset: 'mnist', seed: 0 });
  const generation: Run = {
    ...makeRun({ dataset: 'mnist', 'generation.samples': 3, seed: 1 }),
    task: 'generation',
  };
  const records = ({ task }: Run) =>
    task === 'generation'
      ? [
          accuracy('scratch', 0, 0.1),
          accuracy('sub', 0, 0.6),
          accuracy('scratch', 1, 0.2),
          accuracy('sub', 1, 0.7),
        ]
      : [r2('sane', 'test-accuracy', 0.9), r2('sane', 'ggap', -0.4), r2('statistics', 'ggap', 0.5)];
  const tablesOf = (runs: Run[]) => buildTables(makePlan(runs, [1, 3]), results(runs, records));

  test('has a dot for each number of ours and, on these axes, the paper’s', () => {
    const figure = drawRadar(tablesOf([properties, generation])) as Figure;
    // Ours: SANE on four axes, s(W) on one, scratch on two; the paper's SANE on four.
    expect(shapes(figure, 'dot', 'circle')).toBe(4 + 1 + 2 + 4);
    for (const name of ['>SANE<', '>SANE (paper)<', '>s(W)<', '>W, scratch<'])
      expect(figure.svg).toContain(name);
    expect(figure.svg).not.toContain('>S_KDE30<');
  });

  test('is not drawn of fewer than three axes', () => {
    expect(drawRadar(tablesOf([generation]))).toBeNull();
  });
});

describe('files', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sane-figures-'));
  afterAll(() => rmSync(dir, { recursive: true }));
  const figures = [drawFeaturesByLayer(networks)];

  test('are SVG documents that stand by themselves', async () => {
    const [path] = await writeFigures(figures, join(dir, 'svg'), 'svg');
    const text = readFileSync(path as string, 'utf8');
    expect(text).toStartWith('<svg xmlns="http://www.w3.org/2000/svg"');
    expect(text).not.toMatch(/<script|href=|url\((?!#)/);
    expect(readdirSync(join(dir, 'svg'))).toEqual(['features-by-layer.svg']);
  });

  test('or PNG pictures of twice the size, with something on them', async () => {
    const [path] = await writeFigures(figures, join(dir, 'png'), 'png');
    const bytes = readFileSync(path as string);
    expect(bytes.subarray(1, 4).toString()).toBe('PNG');
    expect(bytes.readUInt32BE(16)).toBe(2 * 640);
    // An empty picture of this size has about 3 kB.
    expect(bytes.length).toBeGreaterThan(15_000);
  });

  test('that cannot be written are reported with the option that names another folder', async () => {
    await expect(writeFigures(figures, '/dev/null/figures', 'svg')).rejects.toThrow(
      /the figures cannot be written to \/dev\/null\/figures.*--out/s,
    );
  });
});

test('novelty has a dot for each network of known accuracy before fine-tuning, by either measure', () => {
  const run = makeRun({ task: 'generation' });
  const of = (metric: string, value: number, sample: string, epoch = 0): MetricRecord => {
    const method = sample.split(' ')[0] as string;
    return { metric, labels: { split: 'test', method, epoch }, value, seeded: true, sample };
  };
  const found = [
    ...[of('accuracy', 0.7, 'sub 0'), of('accuracy', 0.6, 'noise 0'), of('accuracy', 0.9, 'sub 0', 5)],
    ...[of('error-overlap', 0.5, 'sub 0'), of('error-overlap', 0.4, 'noise 0')],
    // One has weights that are not finite, and no distance.
    ...[of('nearest-distance', 1.5, 'sub 0'), of('error-overlap', 0.4, 'noise 9')],
  ];
  const figure = drawNovelty(
    [run],
    results([run], () => found),
  ) as Figure;
  expect(shapes(figure, 'dot', 'circle')).toBe(2 + 1);
  for (const text of ['SANE_SUB', 'Prompts + noise']) expect(figure.svg).toContain(`>${text}<`);
  expect(
    drawNovelty(
      [run],
      results([run], () => found.slice(0, 3)),
    ),
  ).toBeNull();
});
