/** Tables written to a folder. */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../src/base/random.ts';
import { renderers } from '../../src/report/renderers/registry.ts';
import { writeTables } from '../../src/report/write.ts';
import { randomTable } from './random-table.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sane-tables-'));
});
afterEach(() => rm(dir, { recursive: true }));

test('writes every format of every table and leaves nothing else behind', async () => {
  const out = join(dir, 'results', 'quickstart');
  const tables = [1, 10].map((id) => ({ ...randomTable(new Random(id, 'write')), id }));
  const paths = await writeTables(tables, out);
  const names = ['01', '10'].flatMap((id) => ['md', 'csv', 'tex', 'json'].map((end) => `table-${id}.${end}`));
  expect(paths).toEqual(names.map((name) => join(out, name)));
  expect((await readdir(out)).sort()).toEqual(names.toSorted());
  for (const table of tables) {
    for (const { extension, render } of renderers) {
      const path = join(out, `table-${table.id === 1 ? '01' : '10'}.${extension}`);
      expect(await readFile(path, 'utf8')).toBe(render(table));
    }
  }
});

test('replaces an earlier table', async () => {
  const table = { ...randomTable(new Random(3, 'write')), id: 9 };
  await writeFile(join(dir, 'table-09.md'), 'earlier');
  await writeTables([table], dir);
  expect(await readFile(join(dir, 'table-09.md'), 'utf8')).not.toContain('earlier');
});

test('a folder that cannot be made is an error with the remedy', async () => {
  await writeFile(join(dir, 'file'), '');
  const out = join(dir, 'file', 'results');
  await expect(writeTables([], out)).rejects.toThrow(
    /^the tables cannot be written: E\w+: .*; name another folder by --out$/,
  );
});
