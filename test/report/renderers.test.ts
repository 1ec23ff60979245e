/** Every rendering of random tables is read back and holds the table's numbers. */
import { describe, expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import { csv } from '../../src/report/renderers/csv.ts';
import { json } from '../../src/report/renderers/json.ts';
import { latex } from '../../src/report/renderers/latex.ts';
import { markdown } from '../../src/report/renderers/markdown.ts';
import { renderTerminal } from '../../src/report/renderers/terminal.ts';
import type { Cell, Table } from '../../src/report/table.ts';
import { testSeed as seed } from '../seed.ts';
import { randomTable } from './random-table.ts';

const tables = Array.from({ length: 40 }, (_, i) => randomTable(new Random(seed, 'table', i)));

/** The numbers that a text shows, in their order. */
const numbersIn = (text: string) => [...text.matchAll(/[-+]?\d+\.\d+/g)].map(([number]) => Number(number));

/** The numbers that the line of a cell has to show. */
const shown = {
  measured: ({ measured }: Cell) => (measured ? [measured.mean, measured.sd] : []),
  paper: ({ paper }: Cell) => (paper ? [paper.mean, paper.sd] : []),
  difference: ({ measured, paper }: Cell) => (measured && paper ? [measured.mean - paper.mean] : []),
};

/** Fails unless the text shows these numbers, each to the table's decimals. */
function expectNumbers(text: string, numbers: (number | null)[], { decimals }: Table): void {
  const expected = numbers.filter((number) => number !== null);
  const found = numbersIn(text);
  expect({ seed, text, count: found.length }).toEqual({ seed, text, count: expected.length });
  expected.forEach((number, i) => {
    expect(Math.abs((found[i] as number) - number)).toBeLessThanOrEqual(0.5 * 10 ** -decimals + 1e-9);
  });
  expect(text).not.toMatch(/-0\.0+(?!\d)/);
}

/** Compares rows of text cells, three lines for each row of each group, with the table. */
function expectBlocks(lines: string[][], table: Table, plain: (text: string) => string): void {
  let at = 0;
  const next = () => lines[at++] as string[];
  for (const group of table.columnGroups) {
    const columns = table.columns.filter((column) => column.group === group.key);
    expect(plain(next()[0] as string)).toBe(group.title);
    expect(next().slice(1).map(plain)).toEqual(columns.map(({ title }) => title));
    for (const row of table.rows) {
      const cells = columns.map(
        ({ key }) => table.cells.find((cell) => cell.row === row.key && cell.column === key) as Cell,
      );
      const [measured, paper, difference] = [next(), next(), next()];
      expect(plain(measured[0] as string)).toBe(row.title);
      cells.forEach((cell, i) => {
        expectNumbers(measured[i + 1] as string, shown.measured(cell), table);
        expectNumbers(paper[i + 1] as string, shown.paper(cell), table);
        expectNumbers(difference[i + 1] as string, shown.difference(cell), table);
        expect(difference[i + 1]).toContain(cell.status);
      });
    }
  }
  expect(at).toBe(lines.length);
}

test('JSON holds the table itself', () => {
  for (const table of tables) expect(JSON.parse(json.render(table))).toEqual(table);
});

test('CSV holds every number in full precision', () => {
  for (const table of tables) {
    const [header, ...records] = parseCsv(csv.render(table));
    expect(records.length).toBe(table.cells.length);
    const number = (text: string | undefined) => (text === '' ? null : Number(text));
    records.forEach((fields, i) => {
      const record = Object.fromEntries((header as string[]).map((name, k) => [name, fields[k]]));
      const { row, column, measured, paper, status, note } = table.cells[i] as Cell;
      expect(record).toMatchObject({ table: String(table.id), row, column, status, note });
      expect(record.group).toBe(table.columns.find(({ key }) => key === column)?.group as string);
      expect(number(record.measured_mean)).toBe(measured?.mean ?? null);
      expect(number(record.measured_sd)).toBe(measured?.sd ?? null);
      expect(number(record.n)).toBe(measured?.n ?? null);
      expect(number(record.paper_mean)).toBe(paper?.mean ?? null);
      expect(number(record.paper_sd)).toBe(paper?.sd ?? null);
      expect(number(record.difference)).toBe(measured && paper ? measured.mean - paper.mean : null);
    });
  }
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
  expect(records.map(({ length }) => length)).toEqual(records.map(() => 12));
  return records;
}

test('Markdown holds every number', () => {
  const plain = (text: string) => text.replace(/^\*\*|\*\*$/g, '').replace(/\\([^A-Za-z0-9\s])/g, '$1');
  for (const table of tables) {
    const text = markdown.render(table);
    const lines = text.split('\n').flatMap((line): string[][] => {
      if (line.startsWith('## ') && !['## Claims of the paper', '## Notes'].includes(line))
        return [[line.slice(3)]];
      if (!line.startsWith('|') || line.startsWith('| ---')) return [];
      return [
        line
          .slice(1, -1)
          .split(/(?<!\\)\|/)
          .map((cell) => cell.trim()),
      ];
    });
    expectBlocks(lines, table, plain);
    const items = text.split('\n').filter((line) => line.startsWith('- '));
    for (const note of [...table.notes, ...table.cells.map(({ note }) => note)]) {
      expect(items.some((item) => plain(item).endsWith(note))).toBe(true);
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
    text.trim().replace(/\\text[a-z]+\{\}|\\([#$%&_{}])/g, (whole, character) => character ?? names[whole]);
  for (const table of tables) {
    const text = latex.render(table);
    const body = text.slice(text.indexOf('\\toprule'), text.indexOf('\\bottomrule'));
    const lines = body.split('\n').flatMap((line): string[][] => {
      const row = /^ {4}(.*) \\\\$/.exec(line)?.[1];
      if (row === undefined) return [];
      const title = /^\\multicolumn\{\d+\}\{l\}\{(.*)\}$/.exec(row)?.[1];
      return [title === undefined ? row.split(/(?<!\\)&/).map((cell) => cell.trim()) : [title]];
    });
    expectBlocks(lines, table, plain);
    const paragraphs = text.split('\n').filter((line) => line.startsWith('  \\par'));
    for (const note of table.notes) expect(paragraphs.some((line) => plain(line).endsWith(note))).toBe(true);
  }
});

describe('a terminal', () => {
  test('shows every number of the groups that have runs', () => {
    for (const table of tables) {
      const lines = renderTerminal(table, { color: false }).split('\n');
      const groups = table.columnGroups.filter(({ hasRuns }) => hasRuns);
      for (const [i, { title, key }] of groups.entries()) {
        const start = lines.indexOf(title);
        expect(start).toBeGreaterThan(0);
        const rest = groups[i + 1] ? lines.indexOf(groups[i + 1]?.title as string) : lines.length;
        const block = lines.slice(start + 1, rest);
        const columns = table.columns.filter(({ group }) => group === key);
        for (const row of table.rows) {
          const cells = columns.map(
            (column) =>
              table.cells.find((cell) => cell.row === row.key && cell.column === column.key) as Cell,
          );
          const at = block.flatMap((line, k) => (line.startsWith(`${row.title} `) ? [k] : []));
          const text = (offset: number) => at.map((k) => block[k + offset]).join(' ');
          expectNumbers(text(0), cells.flatMap(shown.measured), table);
          expectNumbers(text(1), cells.flatMap(shown.paper), table);
          expectNumbers(text(2), cells.flatMap(shown.difference), table);
        }
      }
      const hidden = table.columnGroups.filter(({ hasRuns }) => !hasRuns);
      for (const { title } of hidden) expect(lines.join(' ')).toContain(title);
    }
  });

  test('is never wider than 80 columns, and coloured only when asked', () => {
    for (const table of tables) {
      const uncolored = renderTerminal(table, { color: false });
      expect(Math.max(...uncolored.split('\n').map((line) => Bun.stringWidth(line)))).toBeLessThanOrEqual(80);
      expect(uncolored).toBe(Bun.stripANSI(uncolored));
      const colored = renderTerminal(table, { color: true });
      expect(Bun.stripANSI(colored)).toBe(uncolored);
      if (table.columnGroups.some(({ hasRuns }) => hasRuns)) expect(colored).not.toBe(uncolored);
    }
  });
});
