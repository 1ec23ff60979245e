/** Tables written to a folder. */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../src/base/random.ts';
import { renderers } from '../../src/report/renderers/registry.ts';
import type { Table } from '../../src/report/table.ts';
import { writeTables } from '../../src/report/write.ts';
import { randomTable } from './random-table.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sane-tables-'));
});
afterEach(() => rm(dir, { recursive: true }));

test('writes every format of every table and leaves nothing else behind', async () => {
  const out = join(dir, 'results', 'quickstart');
  const tables = [1, 10].map((id) => ({ ...randomTable(new Random(id, 'write')), key: `table-${id}` }));
  const condition = { setting: 'zoo.models', value: '9', paper: '1000', where: '' };
  Object.assign(tables[0] as Table, { conditions: [condition] });
  Object.assign(tables[1] as Table, { conditions: [] });
  const paths = await writeTables(tables, out, {});
  const ends = ['md', 'csv', 'conditions.csv', 'tex', 'html', 'json'];
  const names = ['table-1', 'table-10'].flatMap((key) =>
    // Only the first table has conditions.
    ends.filter((end) => key === 'table-1' || end !== 'conditions.csv').map((end) => `${key}.${end}`),
  );
  expect(paths).toEqual(names.map((name) => join(out, name)));
  expect((await readdir(out)).sort()).toEqual(names.toSorted());
  for (const table of tables) {
    for (const { extension, render } of renderers) {
      const text = render(table, {});
      const path = join(out, `${table.key}.${extension}`);
      if (text !== null) expect(await readFile(path, 'utf8')).toBe(text);
    }
  }
});

test('replaces an earlier table', async () => {
  const table = { ...randomTable(new Random(3, 'write')), key: 'table-09' };
  await writeFile(join(dir, 'table-09.md'), 'earlier');
  await writeTables([table], dir, {});
  expect(await readFile(join(dir, 'table-09.md'), 'utf8')).not.toContain('earlier');
});

test('a folder that cannot be made is an error with the remedy', async () => {
  await writeFile(join(dir, 'file'), '');
  const out = join(dir, 'file', 'results');
  await expect(writeTables([], out, {})).rejects.toThrow(
    /^the tables cannot be written to .*: E\w+: .*\. Name another folder by --out\.$/,
  );
});
