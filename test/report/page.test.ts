/** The report page: what it says, that it needs nothing else, and that a browser shows it. */
import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Run } from '../../src/experiment/types.ts';
import { buildTables } from '../../src/report/build.ts';
import type { Evidence } from '../../src/report/figures/evidence.ts';
import { drawFigures } from '../../src/report/figures/registry.ts';
import type { RunResult } from '../../src/report/measure.ts';
import { formatBytes, formatSeconds } from '../../src/report/page/format.ts';
import { renderPage } from '../../src/report/page/page.ts';
import type { MetricRecord } from '../../src/stages/result.ts';
import { difference, makePlan, makeRun, r2 } from './plan.ts';

setDefaultTimeout(300_000);
const dir = mkdtempSync(join(tmpdir(), 'sane-page-'));
afterAll(() => rmSync(dir, { recursive: true }));

const evidence: Evidence = {
  curves: [0, 1].map((seed) => ({
    run: `seed=${seed}`,
    epochs: [1, 2, 3].map((epoch) => ({ epoch, training: 1 / epoch, validation: 1.1 / epoch })),
  })),
  predictions: {
    run: 'seed=0',
    points: ['weights', 'sane'].flatMap((feature) =>
      [0.1, 0.5, 0.9].map((actual) => ({ feature, actual, predicted: actual + 0.05 })),
    ),
  },
  embeddings: {
    ...{ run: 'seed=0', shares: [0.7, 0.2] },
    points: [0.1, 0.5, 0.9].map((accuracy, i) => ({ x: i, y: -i, accuracy })),
  },
  analyses: [
    {
      title: 'cnn-small',
      networks: [0.2, 0.8].map((accuracy) => ({
        accuracy,
        layers: [1, 2].map((l) => ({ layer: `l${l}`, alpha: l + accuracy, embedding_spread: l * accuracy })),
      })),
      example: {
        ...{ layer: 'l2', eigenvalues: [0.1, 1, 2] },
        distances: { largest: 2, counts: [1, 2] },
      },
    },
  ],
  ...{ seconds: 6720, bytes: 210_400_000, machines: ['2 cores of EPYC, native'], commit: 'abc1234' },
  command: 'exp my.yaml --set sane.epochs=2',
};

const properties = [0, 1].map((seed) =>
  makeRun({ dataset: 'glyphs', seed }, [difference('zoo.models', 60, 1000)]),
);
const generation = [0, 1].map(
  (seed): Run => ({
    ...makeRun({ dataset: 'glyphs', 'generation.samples': 3, seed }, [difference('zoo.models', 60, 1000)]),
    task: 'generation',
  }),
);
const accuracy = (method: string, epoch: number, value: number): MetricRecord => ({
  ...{ metric: 'accuracy', labels: { split: 'test', method, epoch }, value, sample: 'a', seeded: true },
});

const records = ({ task, seed }: Run): MetricRecord[] =>
  task === 'generation'
    ? [0, 1, 5].flatMap((epoch) => [
        accuracy('scratch', epoch, 0.1 + epoch / 10 + seed / 100),
        accuracy('sub', epoch, 0.6 + epoch / 20),
      ])
    : [
        r2('sane', 'epoch', 0.9),
        r2('weights', 'epoch', 0.8),
        r2('sane', 'ggap', 0.4),
        r2('weights', 'ggap', 0.5),
      ];

/** The page of these runs, of which some may have failed. */
function pageOf(runs: Run[], tables: number[], failed: readonly Run[] = []): string {
  const results = new Map(
    runs.map((run): [string, RunResult] => [
      run.id,
      failed.includes(run)
        ? { status: 'failed', reason: '/home/someone/x.log: out of <memory>' }
        : { status: 'done', records: records(run) },
    ]),
  );
  const plan = { ...makePlan(runs, tables), name: 'my-experiment', description: 'What it is for.' };
  const built = buildTables(plan, results);
  const figures = drawFigures({ plan, results, tables: built, evidence });
  return renderPage(plan, results, built, figures, evidence, {});
}

const plain = (html: string) =>
  html
    .replace(/<style>.*?<\/style>/gs, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');

describe('the report', () => {
  test('says at a glance what was done, what holds, at which scale, and what it took', () => {
    const text = plain(pageOf(properties, [1]));
    expect(text).toContain('my-experiment What it is for. commit abc1234 · 2 cores of EPYC, native');
    expect(text).toContain('2 of 2 runs done');
    expect(text).toContain('✓ 0 · ✗ 0 · ? 1 claims of the paper hold, fail, are inconclusive');
    expect(text).toContain("0 of 4 cells at the paper's scale");
    expect(text).toContain('1 h 52 min of computing; 210 MB kept');
    expect(text).toContain('Made by exp my.yaml --set sane.epochs=2');
  });

  test('says how the runs are scaled once, above all tables', () => {
    const text = plain(pageOf(properties, [1, 10]));
    expect(text.split('zoo.models 60 instead of 1000').length).toBe(2);
    expect(text.split('zoo.models 60 (paper 1000)').length).toBe(2);
    expect(text).toContain('All 2 differences from the paper');
  });

  test('counts what is equivalent to the paper’s numbers, different and inconclusive, with signs that need no colour', () => {
    const runs = [0, 1].map((zoo) => makeRun({ dataset: 'mnist', 'zoo.seed': zoo }));
    const measured = [0.953, 0.5, 0.958, 0.9].map((value, i) => {
      const [feature, target] = [i < 2 ? 'weights' : 'sane', i % 2 ? 'ggap' : 'epoch'];
      return { feature, target, value };
    });
    const results = new Map(
      runs.map(({ id, settings: { zoo } }): [string, RunResult] => {
        const records = measured.map(({ feature, target, value }, i) =>
          r2(feature, target, value + (i === 2 ? 0.01 : 1e-4) * zoo.seed),
        );
        return [id, { status: 'done', records }];
      }),
    );
    const plan = makePlan(runs, [1]);
    const text = plain(renderPage(plan, results, buildTables(plan, results), [], evidence, {}));
    expect(text).toContain("4 of 4 cells at the paper's scale");
    expect(text).toContain("= 1 · ≠ 2 · ? 1 of these are equivalent to the paper's, different, inconclusive");
    expect(text).toContain('= equivalent, ? inconclusive, ≠ different.');
  });

  test('counts a claim once that two tables have', () => {
    // Table 10 has another claim too, of which nothing was measured.
    expect(plain(pageOf(properties, [1, 10]))).toContain(
      '✓ 0 · ✗ 0 · ? 1 claims of the paper hold, fail, are inconclusive',
    );
  });

  test('names failed runs with their reasons', () => {
    const html = pageOf(properties, [1], properties.slice(1));
    expect(plain(html)).toContain('1 of 2 runs done');
    expect(html).toContain('<h2>Failed runs</h2>');
    // Folders name a machine's users.
    expect(html).toContain(': …/x.log: out of &lt;memory&gt;</li>');
  });

  test('has charts of predictions, learning curves and fine-tuning, each with what it shows', () => {
    const html = pageOf([...properties, ...generation], [1, 3]);
    const charts = html.slice(html.indexOf('<h2>Charts</h2>'), html.indexOf('id="settings"'));
    expect(Array.from(charts.matchAll(/<p>([^<(:,]*)/g), ([, caption]) => caption?.trim())).toEqual([
      'Tables 1 to 4 at a glance',
      'Accuracy in % by epoch of fine-tuning',
      'Predicted against actual accuracy of the test models',
      'Mean embeddings of the test models in two dimensions',
      'Features by layer',
      'Test accuracy over the mean of each feature over layers',
      'Spectrum of the layer with most weights',
      'Reconstruction loss of each SANE by epoch',
    ]);
    const [, tuning, predictions, embeddings, layers, over, , curves] = charts
      .split('class="chart"')
      .slice(1);
    const shapes = (svg: string | undefined, shape: string) =>
      svg?.match(new RegExp(`<${shape}`, 'g'))?.length;
    // Two methods at three epochs, two features of three networks, two SANEs with two losses each.
    expect(shapes(tuning, 'circle')).toBe(6);
    expect(shapes(predictions, 'circle')).toBe(6);
    // Three networks; two features of two layers; two features of two networks.
    expect([embeddings, layers, over].map((svg) => shapes(svg, 'circle'))).toEqual([3, 4, 4]);
    expect(shapes(curves?.slice(curves.indexOf('aria-label="line"')), 'path')).toBe(4);
  });

  test('has no charts where there is nothing to draw', () => {
    const plan = makePlan(properties, [1]);
    const nothing = { ...evidence, curves: [], predictions: null, embeddings: null, analyses: [] };
    const content = { plan, results: new Map(), tables: buildTables(plan, new Map()), evidence: nothing };
    expect(drawFigures(content)).toEqual([]);
    const html = renderPage(plan, new Map(), content.tables, [], nothing, {});
    expect(html).not.toContain('Charts');
    expect(plain(html)).toContain('0 of 2 runs done');
  });

  test('has no script and asks for nothing', () => {
    const html = pageOf([...properties, ...generation], [1, 3]);
    // Clips of charts are named within the page.
    expect(html.match(/<script|<link|<img|src=|href=|@import|url\((?!#)/g)).toBeNull();
    expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
  });
});

test('amounts are in units that a reader takes in', () => {
  expect([0.2, 48, 59.7, 750, 3600, 6720].map(formatSeconds)).toEqual([
    ...['0 s', '48 s', '1 min', '13 min', '1 h 0 min', '1 h 52 min'],
  ]);
  expect([0, 999, 3_740_000, 210_400_000, 2.5e12].map(formatBytes)).toEqual([
    ...['0 B', '999 B', '3.7 MB', '210 MB', '2.5 TB'],
  ]);
});

describe.skipIf(!Bun.which('chromium'))('chromium', () => {
  const flags = [
    ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
    ...['--disable-background-networking', '--disable-component-update', '--enable-logging=stderr'],
  ];
  const browse = (name: string, html: string, ...options: string[]) => {
    const path = join(dir, `${name}.html`);
    writeFileSync(path, html);
    const command = [
      'chromium',
      ...flags,
      `--user-data-dir=${join(dir, 'profile')}`,
      ...options,
      `file://${path}`,
    ];
    const { stdout, stderr, exitCode } = Bun.spawnSync(command);
    const log = stderr.toString();
    expect({ exitCode, log: exitCode === 0 ? '' : log }).toEqual({ exitCode: 0, log: '' });
    return { text: stdout.toString(), console: log.split('\n').filter((line) => line.includes('CONSOLE')) };
  };
  const page = pageOf([...properties, ...generation], [1, 3]);

  test('shows the page without an error in the console or a refused request', () => {
    const { text, console } = browse('page', page, '--dump-dom');
    expect(console).toEqual([]);
    expect(text.match(/<table/g)?.length).toBe(2);
    expect(text.match(/<section/g)?.length).toBe(4);
  });

  test('would say so if there were one', () => {
    const { console } = browse(
      'bad',
      page.replace('</main>', '<img src="http://127.0.0.1:9/x.png"></main>'),
      '--dump-dom',
    );
    expect(console.length).toBeGreaterThan(0);
  });

  test.each([390, 1280])('has nothing that is wider than a window of %d', (width) => {
    // What is wider scrolls within its own region. A script of the test measures the page, which its policy would refuse.
    const policy = /<meta http-equiv="Content-Security-Policy"[^>]*>\n/;
    const probe = `<script>document.title = 'width ' + document.documentElement.scrollWidth + ' of ' + innerWidth</script>`;
    const longName = `<p>${'property_prediction'.repeat(8)}</p>`;
    const html = page.replace(policy, '').replace('</main>', `${longName}</main>${probe}`);
    const { text } = browse(`wide-${width}`, html, `--window-size=${width},800`, '--dump-dom');
    const [, content, window] = /<title>width (\d+) of (\d+)/.exec(text) ?? [];
    expect(Number(content)).toBeLessThanOrEqual(Number(window));
  });

  test('prints it', () => {
    const pdf = join(dir, 'page.pdf');
    browse('print', page, `--print-to-pdf=${pdf}`, '--no-pdf-header-footer');
    expect(Bun.file(pdf).size).toBeGreaterThan(10_000);
  });
});
