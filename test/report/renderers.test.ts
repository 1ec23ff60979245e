/** Every rendering of random tables is read back and holds the table's numbers. */
import { describe, expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import { type Layout, layouts } from '../../src/experiment/tables-schema.ts';
import { conditions } from '../../src/report/renderers/conditions.ts';
import { csv } from '../../src/report/renderers/csv.ts';
import { html } from '../../src/report/renderers/html.ts';
import { json } from '../../src/report/renderers/json.ts';
import { latex } from '../../src/report/renderers/latex.ts';
import { markdown } from '../../src/report/renderers/markdown.ts';
import { renderTerminal } from '../../src/report/renderers/terminal.ts';
import { type Cell, rowTitle, type Table } from '../../src/report/table.ts';
import type { View } from '../../src/report/view.ts';
import { testSeed } from '../seed.ts';
import { randomTable } from './random-table.ts';

const tables = Array.from({ length: 40 }, (_, i) => randomTable(new Random(testSeed, 'table', i)));
const views = layouts.map((layout) => ({ layout, all: true }));
const sideBySide: Required<View> = { layout: 'side-by-side', all: true };

/** The numbers that a text shows, in their order. */
const numbersIn = (text: string) => [...text.matchAll(/[-+]?\d+\.\d+/g)].map(([number]) => Number(number));

/** Intervals stand beside numbers where they are over test models too. */
const ours = ({ measured }: Cell) =>
  measured ? [measured.mean, measured.sd, ...((measured.models && measured.interval) || [])] : [];
const papers = ({ paper }: Cell) => (paper ? [paper.mean, paper.sd] : []);

/** The numbers that a cell has to show in each layout, in this order. */
const shown: Record<Layout, (cell: Cell) => (number | null)[]> = {
  'side-by-side': (cell) => [...ours(cell), ...papers(cell)],
  ours,
  difference: ({ measured, paper, difference }) =>
    measured && paper ? [measured.mean - paper.mean, ...(difference ?? [])] : [],
};

/** Fails unless the text shows these numbers, each to the table's decimals. */
function expectNumbers(text: string, numbers: (number | null)[], { decimals }: Table): void {
  const expected = numbers.filter((number) => number !== null);
  const found = numbersIn(text);
  expect({ text, count: found.length }).toEqual({ text, count: expected.length });
  expected.forEach((number, i) => {
    expect(Math.abs((found[i] as number) - number)).toBeLessThanOrEqual(0.5 * 10 ** -decimals + 1e-9);
  });
  expect(text).not.toMatch(/-0\.0+(?!\d)/);
}

/** Compares rows of text cells, the rows' titles first, with a table whose rows and columns are all shown. */
function expectRows(
  rows: string[][],
  table: Table,
  { layout }: Required<View>,
  plain: (text: string) => string,
): void {
  expect(rows.length).toBe(table.rows.length);
  const perColumn = layout === 'side-by-side' ? 2 : 1;
  table.rows.forEach((row, i) => {
    const [titles, texts] = [rows[i]?.slice(0, row.titles.length), rows[i]?.slice(row.titles.length)];
    expect(plain(titles?.at(-1) as string)).toBe(row.titles.at(-1) as string);
    expect(texts?.length).toBe(table.columns.length * perColumn);
    table.columns.forEach(({ key }, k) => {
      const cell = table.cells.find((cell) => cell.row === row.key && cell.column === key) as Cell;
      const text = texts?.slice(k * perColumn, (k + 1) * perColumn).join(' ') as string;
      expectNumbers(text, shown[layout](cell), table);
      if (cell.status === 'failed' && !cell.measured) expect(text).toContain('failed');
    });
  });
}

test('JSON holds the table itself', () => {
  for (const table of tables) expect(JSON.parse(json.render(table, sideBySide) as string)).toEqual(table);
});

describe('CSV', () => {
  test('has a line for each cell, with its labels, and every number in full precision', () => {
    for (const table of tables) {
      const [header, ...records] = parseCsv(csv.render(table, sideBySide) as string);
      expect(records.length).toBe(table.cells.length);
      const number = (text: string | undefined) => (text === '' ? null : Number(text));
      records.forEach((fields, i) => {
        const record = Object.fromEntries((header as string[]).map((name, k) => [name, fields[k]]));
        const { row, column, measured, paper, status, difference, note } = table.cells[i] as Cell;
        const labels = {
          ...table.rows.find(({ key }) => key === row)?.labels,
          ...table.columns.find(({ key }) => key === column)?.labels,
        };
        const texts = Object.entries(labels).map(([name, value]) => [name, String(value)]);
        expect(record).toMatchObject({ table: String(table.id), status, note, ...Object.fromEntries(texts) });
        expect(record.group).toBe(table.columns.find(({ key }) => key === column)?.group as string);
        expect(number(record.mean)).toBe(measured?.mean ?? null);
        expect(number(record.sd)).toBe(measured?.sd ?? null);
        expect(number(record.n)).toBe(measured?.n ?? null);
        expect(record.n_of).toBe(measured?.of ?? '');
        expect([number(record.ci95_low), number(record.ci95_high)]).toEqual([
          ...(measured?.interval ?? [null, null]),
        ]);
        expect([number(record.ci90_low), number(record.ci90_high)]).toEqual([
          ...(difference ?? [null, null]),
        ]);
        expect(number(record.paper_n)).toBe(paper?.n ?? null);
        expect(number(record.paper_mean)).toBe(paper?.mean ?? null);
        expect(number(record.paper_sd)).toBe(paper?.sd ?? null);
        expect(number(record.difference)).toBe(measured && paper ? measured.mean - paper.mean : null);
      });
    }
  });

  test('of the conditions has a line for each, and is not written where there are none', () => {
    for (const table of tables) {
      const text = conditions.render(table, sideBySide);
      if (table.conditions.length === 0) {
        expect(text).toBeNull();
        continue;
      }
      const [header, ...records] = parseCsv(text as string);
      expect(header).toEqual(['table', 'where', 'setting', 'value', 'paper']);
      expect(records).toEqual(
        table.conditions.map(({ where, setting, value, paper }) => [
          String(table.id),
          where,
          setting,
          value,
          paper,
        ]),
      );
    }
  });
});

/** RFC 4180. */
function parseCsv(text: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  for (let match = field.exec(text); match; match = field.exec(text)) {
    record.push(match[1]?.replaceAll('""', '"') ?? (match[2] as string));
    if (match[3] === ',') continue;
    records.push(record);
    record = [];
  }
  expect(record).toEqual([]);
  expect(new Set(records.map(({ length }) => length)).size).toBe(1);
  return records;
}

test('Markdown holds every number', () => {
  const plain = (text: string) => text.replace(/\\([^A-Za-z0-9\s])/g, '$1');
  for (const table of tables) {
    for (const view of views) {
      const text = markdown.render(table, view) as string;
      const lines = text.split('\n').filter((line) => line.startsWith('|'));
      const rows = lines.slice(2).map((line) =>
        line
          .slice(1, -1)
          .split(/(?<!\\)\|/)
          .map((cell) => cell.trim()),
      );
      expectRows(rows, table, view, plain);
      const items = text.split('\n').filter((line) => line.startsWith('- '));
      for (const note of table.notes) expect(items.some((item) => plain(item).endsWith(note))).toBe(true);
      for (const { setting, value, paper } of table.conditions) {
        expect(
          items.filter((item) => plain(item).endsWith(`${setting} ${value} (paper ${paper})`)).length,
        ).toBe(1);
      }
    }
  }
});

test('LaTeX holds every number', () => {
  const names: Record<string, string> = {
    '\\textbackslash{}': '\\',
    '\\textasciitilde{}': '~',
    '\\textasciicircum{}': '^',
    '\\textless{}': '<',
    '\\textgreater{}': '>',
    '\\textbar{}': '|',
  };
  const plain = (text: string) =>
    text
      .trim()
      .replaceAll('\\allowbreak{}', '')
      .replace(/\\text[a-z]+\{\}|\\([#$%&_{}])/g, (whole, character) => character ?? names[whole]);
  for (const table of tables) {
    for (const view of views) {
      const text = latex.render(table, view) as string;
      const parts = text.split('\\begin{tabular}').slice(1);
      const bodies = parts.map((part) => part.slice(part.indexOf('\\midrule'), part.indexOf('\\bottomrule')));
      const ofParts = bodies.map((body) =>
        body.split('\n').flatMap((line): string[][] => {
          const row = /^ {4}(.*) \\\\$/.exec(line)?.[1];
          return row === undefined ? [] : [row.split(/(?<!\\)&/).map((cell) => cell.trim())];
        }),
      );
      // The parts of a wide table stand below each other, each with the titles of the rows.
      const rows = (ofParts[0] as string[][]).map((first, i) => [
        ...first,
        ...ofParts.slice(1).flatMap((part) => part[i]?.slice(table.stub.length) as string[]),
      ]);
      expectRows(rows, table, view, plain);
      const lines = text.split('\n').map((line) => plain(line.replace(/\\par$/, '')));
      for (const note of table.notes) expect(lines).toContain(note);
    }
  }
});

test('HTML holds every number, has no script, and asks for nothing', () => {
  const characters = (text: string) =>
    text.replace(
      /&(amp|lt|gt|quot);/g,
      (_, name) => ({ amp: '&', lt: '<', gt: '>', quot: '"' })[name as 'amp'],
    );
  const plain = (text: string) => characters(text.replace(/<[^>]*>/g, ''));
  for (const table of tables) {
    for (const view of views) {
      const text = html.render(table, view) as string;
      const bodies = [...text.matchAll(/<tbody>(.*?)<\/tbody>/gs)].map(([, body]) => body as string);
      const rows = bodies.flatMap((body) =>
        [...body.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row]) => {
          const cells = [...(row as string).matchAll(/<(t[hd])[^>]*>(.*?)<\/\1>/gs)].map(([, , cell]) =>
            plain(cell as string),
          );
          // A block's title spans the rows of the block.
          const titles = table.stub.length + table.columns.length * (view.layout === 'side-by-side' ? 2 : 1);
          return cells.length < titles ? ['', ...cells] : cells;
        }),
      );
      expectRows(rows, table, view, (text) => text);
      expect(text.match(/<script|src=|href=|@import|url\(/g)).toBeNull();
      for (const note of table.notes) expect(plain(text)).toContain(note);
    }
  }
});

describe('a terminal', () => {
  const render = (table: Table, view: Required<View>, color = false) =>
    renderTerminal([table], { color, view });

  test('shows every number', () => {
    for (const table of tables) {
      for (const view of views) {
        const lines = render(table, view).split('\n');
        const end = lines.findLastIndex((line) => /^─+$/.test(line));
        for (const row of table.rows) {
          const title = row.titles.at(-1) as string;
          const own = lines.slice(0, end).filter((line) => {
            const rest =
              row.titles.length > 1
                ? line.replace(/^block \d+/, (all) => ' '.repeat(all.length)).trimStart()
                : line;
            return rest.startsWith(`${title} `);
          });
          const cells = table.columns.map(
            ({ key }) => table.cells.find((cell) => cell.row === row.key && cell.column === key) as Cell,
          );
          expectNumbers(own.join(' '), cells.flatMap(shown[view.layout]), table);
        }
      }
    }
  });

  test('is never wider than 80 columns, and coloured only when asked', () => {
    for (const table of tables) {
      for (const view of views) {
        const uncolored = render(table, view);
        expect(Math.max(...uncolored.split('\n').map((line) => Bun.stringWidth(line)))).toBeLessThanOrEqual(
          80,
        );
        expect(uncolored).toBe(Bun.stripANSI(uncolored));
        expect(Bun.stripANSI(render(table, view, true))).toBe(uncolored);
      }
      expect(render(table, sideBySide, true)).not.toBe(render(table, sideBySide));
    }
  });

  test('says how runs are scaled once for all tables that are scaled alike', () => {
    const [first, second, third] = tables as [Table, Table, Table];
    const conditions = (value: string) => [{ setting: 'zoo.models', value, paper: '1000', where: '' }];
    const same = [first, second].map((table, i) => ({ ...table, id: i + 1, conditions: conditions('60') }));
    const list = (of: Table[]) =>
      renderTerminal(of, { color: false, view: sideBySide })
        .split("Differences from the paper's conditions")
        .slice(1);
    expect(list(same)).toEqual(['\n- zoo.models 60 (paper 1000)\n']);
    expect(list([...same, { ...third, id: 3, conditions: conditions('70') }])).toEqual([
      ' (Table 1, Table 2)\n- zoo.models 60 (paper 1000)\n\n',
      ' (Table 3)\n- zoo.models 70 (paper 1000)\n',
    ]);
  });
});

test('a failed cell is named with its reason under every text', () => {
  const some = randomTable(new Random(0, 'table'));
  const cells = some.cells.map((cell): Cell => ({ ...cell, note: '', status: 'scaled' }));
  cells[0] = {
    ...(cells[0] as Cell),
    status: 'failed',
    measured: null,
    note: '2 of 3 runs failed: out of memory',
  };
  const table = {
    ...some,
    columnGroups: some.columnGroups.map((group) => ({ ...group, hasRuns: true })),
    cells,
  };
  const where = rowTitle(table.rows.find(({ key }) => key === cells[0]?.row) as Table['rows'][number]);
  for (const text of [
    renderTerminal([table], { color: false, view: sideBySide }),
    markdown.render(table, sideBySide) as string,
  ]) {
    const flat = text.replaceAll('\n', ' ').replace(/\\(?=[^A-Za-z])/g, '');
    expect(flat).toContain('2 of 3 runs failed: out of memory');
    expect(flat).toContain(`(${where}): 2 of 3`);
  }
});
