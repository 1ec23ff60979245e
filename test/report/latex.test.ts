/** What pdfLaTeX says of the tables: they compile, and nothing is wider than the page. Skipped where it is not installed. */
import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../src/base/random.ts';
import { layouts } from '../../src/experiment/tables-schema.ts';
import type { Run } from '../../src/experiment/types.ts';
import { buildTables } from '../../src/report/build.ts';
import { latex } from '../../src/report/renderers/latex.ts';
import { tableDefinitions } from '../../src/report/tables/registry.ts';
import { difference, makePlan, makeRun, r2 } from './plan.ts';
import { randomTable } from './random-table.ts';

setDefaultTimeout(300_000);
const dir = mkdtempSync(join(tmpdir(), 'sane-latex-'));
afterAll(() => rmSync(dir, { recursive: true }));

const documents = {
  'a page of a4': '\\documentclass[a4paper]{article}',
  'two columns': '\\documentclass[a4paper,twocolumn]{article}',
};

/** The log of a document with these floats. Throws with its end where it does not compile. */
function compile(documentClass: string, floats: string[], name: string): string {
  const text = [
    documentClass,
    '\\usepackage{booktabs}\\usepackage{graphicx}',
    '\\begin{document}',
    ...floats.map((float) => `${float}\\clearpage`),
    '\\end{document}',
  ].join('\n');
  writeFileSync(join(dir, `${name}.tex`), text);
  const { stdout, exitCode } = Bun.spawnSync(
    ['pdflatex', '-interaction=nonstopmode', '-halt-on-error', `${name}.tex`],
    {
      cwd: dir,
    },
  );
  // The log's lines are broken after 79 characters.
  const log = stdout.toString();
  if (exitCode !== 0) throw new Error(log.slice(-2000));
  return log;
}

/** Two data sets with three seeds each, so that every cell has a ±. */
const runs = ['mnist', 'glyphs'].flatMap((dataset) =>
  [0, 1, 2].map(
    (seed): Run =>
      makeRun({ dataset, seed }, [
        difference('zoo.models', 60, 1000),
        difference(
          'zoo.checkpoints',
          Array.from({ length: 25 }, (_, i) => i + 1),
          [1, 3, 5, 10, 15, 20, 25],
        ),
      ]),
  ),
);
const records = ['weights', 'statistics', 'sane'].flatMap((feature, i) =>
  ['test-accuracy', 'epoch', 'ggap'].map((target, k) => r2(feature, target, -10.5 * i + k)),
);
const results = new Map(runs.map(({ id }) => [id, { status: 'done' as const, records }]));
const tables = [
  ...buildTables(
    makePlan(
      runs,
      tableDefinitions.map(({ id }) => id),
    ),
    results,
  ),
  ...Array.from({ length: 8 }, (_, i) => randomTable(new Random(i, 'latex'))),
];

describe.skipIf(!Bun.which('pdflatex'))('pdflatex', () => {
  const cases = Object.entries(documents).flatMap(([name, documentClass]) =>
    layouts.flatMap((layout) => [true, false].map((all) => [name, { layout, all }, documentClass] as const)),
  );
  test.each(cases)('on %s, %p', (name, view, documentClass) => {
    // A table of which nothing is shown has nothing to compile.
    const floats = tables.map((table) => latex.render(table, view) ?? '');
    const log = compile(documentClass, floats, `${name.replaceAll(' ', '-')}-${view.layout}-${view.all}`);
    expect(log.match(/^(Overfull .*|.*(undefined|too large|Missing).*)$/gm) ?? []).toEqual([]);
    expect(log).toContain('Output written');
  });
});
