/** The list of claims and numbers of several tables. */
import { expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Glob } from 'bun';
import { parseArguments } from '../../src/commands/arguments.ts';
import { claimsCommand } from '../../src/commands/claims/run.ts';
import { type LinkedTable, listClaims } from '../../src/report/claim-list.ts';
import type { Table } from '../../src/report/table.ts';

/** A table of one number, whose cells and claims are given. */
const table = (id: number, more: Partial<Table>): Table => ({
  ...{ key: '', id, title: '', caption: '', unit: '', decimals: 1, best: null, stub: [''], view: {} },
  columnGroups: [
    { key: 'm', title: 'MNIST', hasRuns: true },
    { key: 's', title: 'SVHN', hasRuns: false },
  ],
  columns: [{ key: 'c', title: 'SANE', group: 'm', labels: {} }],
  rows: [{ key: 'r', titles: ['Acc'], labels: {} }],
  ...{ cells: [], claims: [], notes: [], conditions: [] },
  ...more,
});

test('claims and numbers in the order of the tables, each with its verdict, data set and scale', () => {
  const later = table(3, {
    claims: [
      { text: 'A is above B', verdict: 'holds', detail: '+1.0 [0.5, 1.5]' },
      { text: 'C is above D', verdict: null, detail: 'not measured' },
    ],
    conditions: [{ setting: 'zoo.models', value: '64', paper: '1000', where: '' }],
  });
  const first = table(1, {
    claims: [{ text: 'E | F', verdict: 'trivial', detail: '+0.1' }],
    cells: [
      {
        ...{ row: 'r', column: 'c', pending: false, note: '', status: 'equivalent' },
        measured: { mean: 1, sd: null, n: 1, of: 'seed', models: 9, interval: [0.5, 1.5] },
        difference: [-0.2, 0.3],
        paper: { mean: 1.1, sd: null, n: null },
      },
    ],
  });
  const text = listClaims([
    { table: later, link: 'b/table-03.md' },
    { table: first, link: 'a/table-01.md' },
    // As another experiment on the same runs has it.
    { table: { ...first, id: 10 }, link: 'a/table-10.md' },
    { table: later, link: 'c/table-03.md' },
  ]);
  expect(text.split('\n').filter((line) => /^[|\d]/.test(line))).toEqual([
    '1 holds, 0 fails, 0 inconclusive; 1 trivial, at chance or at the ceiling.',
    '| Table | claim | verdict | difference, 95 % interval | on |',
    '| --- | --- | --- | --- | --- |',
    '| [1](<a/table-01.md>) | E \\| F | trivial | +0.1 | MNIST |',
    '| [3](<b/table-03.md>) | A is above B | holds | +1.0 \\[0.5, 1.5\\] | MNIST, 1 condition otherwise |',
    '1 equivalent, 0 different, 0 inconclusive.',
    '| Table | number | ours | paper | verdict | difference, 90 % interval |',
    '| --- | --- | ---: | ---: | --- | --- |',
    '| [1](<a/table-01.md>) | MNIST, SANE, Acc | 1.0 \\[0.5, 1.5\\] | 1.1 | equivalent | \\[-0.2, 0.3\\] |',
  ]);
});

test('the command links the tables from its folder on, and leaves out those without verdicts', async () => {
  const out = mkdtempSync(join(tmpdir(), 'claims-'));
  try {
    const claims = (verdict: string) => ({ claims: [{ text: 'A', detail: '+1', [verdict]: 'holds' }] });
    const written = ['verdict', 'holds'].map((name, i) => {
      const path = join(out, `table-0${i + 1}.json`);
      writeFileSync(path, JSON.stringify({ ...table(i + 1, {}), ...claims(name) }));
      return path;
    });
    const run = async (folder: string) =>
      claimsCommand(await parseArguments(['claims', ...written, '--out', folder]));
    expect(await run(join(out, 'list'))).toBe(0);
    const text = readFileSync(join(out, 'list', 'claims.md'), 'utf8');
    expect(text).toContain('| [1](<../table-01.md>) | A | holds | +1 | MNIST |');
    expect(text).toContain('1 holds, 0 fails, 0 inconclusive; 0 trivial');
    writeFileSync(join(out, 'file'), '');
    await expect(run(join(out, 'file', 'x'))).rejects.toThrow(/--out/);
  } finally {
    rmSync(out, { recursive: true });
  }
});

test('results/claims.md is of the tables that are committed', async () => {
  const results = join(import.meta.dir, '../../results');
  const tables = [...new Glob('*/table-*.json').scanSync(results)]
    // The paper's own, and what the quickstart of this folder wrote.
    .filter((path) => !/^(paper|quickstart)\//.test(path))
    .sort();
  const linked: LinkedTable[] = [];
  for (const path of tables) {
    const table = (await Bun.file(join(results, path)).json()) as Table;
    const isJudged = table.claims.every((claim) => 'verdict' in claim);
    if (isJudged) linked.push({ table, link: path.replace('.json', '.md') });
  }
  expect(readFileSync(join(results, 'claims.md'), 'utf8')).toBe(listClaims(linked));
});
