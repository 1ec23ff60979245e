/** What several tables say of the paper's claims and numbers, as one list in Markdown. */
import { plural } from '../base/plural.ts';
import { formatInterval, formatMeasured, formatNumber } from './format.ts';
import { escapeText, tableLine } from './renderers/markdown.ts';
import { type Cell, type Claim, rowTitle, type Table } from './table.ts';

/** A table, and where its Markdown is from the list on. */
export interface LinkedTable {
  table: Table;
  link: string;
}

const compared: readonly Cell['status'][] = ['equivalent', 'different', 'inconclusive'];

/** The whole list: how many there are of each verdict, the claims in the paper's order, and the numbers under its conditions. */
export function listClaims(tables: readonly LinkedTable[]): string {
  const inOrder = [...tables].sort(
    (a, b) => (a.table.id ?? 0) - (b.table.id ?? 0) || (a.link < b.link ? -1 : 1),
  );
  // Experiments and tables that share runs say the same of them, which counts once.
  const claims = once(
    inOrder.flatMap((of) =>
      of.table.claims.filter(({ verdict }) => verdict !== null).map((claim) => ({ of, claim })),
    ),
    ({ of, claim: { text, detail } }) => [
      of.table.columnGroups.filter(({ hasRuns }) => hasRuns).map(({ key }) => datasetOf(key)),
      text,
      detail,
    ],
  );
  const cells = once(
    inOrder.flatMap((of) =>
      of.table.cells.filter(({ status }) => compared.includes(status)).map((cell) => ({ of, cell })),
    ),
    ({ of, cell }) => {
      const column = of.table.columns.find(({ key }) => key === cell.column);
      return [datasetOf(column?.group ?? ''), namesOf(of, cell).slice(1), cell.measured, cell.paper];
    },
  );
  const verdicts = claims.map(({ claim }) => String(claim.verdict));
  return `${[
    '# Claims and numbers of the paper',
    'Written by `exp claims` from the tables that are linked here, which say how they are judged. What several of them share is listed once.',
    '## Claims',
    `${count(verdicts, ['holds', 'fails', 'inconclusive'])}; ${count(verdicts, ['trivial'])}, at chance or at the ceiling.`,
    [
      tableLine(['Table', 'claim', 'verdict', 'difference, 95 % interval', 'on']),
      tableLine(['---', '---', '---', '---', '---']),
      ...claims.map(claimLine),
    ].join('\n'),
    '## Numbers under the conditions of the paper',
    `${count(
      cells.map(({ cell }) => cell.status),
      compared,
    )}.`,
    [
      tableLine(['Table', 'number', 'ours', 'paper', 'verdict', 'difference, 90 % interval']),
      tableLine(['---', '---', '---:', '---:', '---', '---']),
      ...cells.map(numberLine),
    ].join('\n'),
  ].join('\n\n')}\n`;
}

/** The data sets of a column group, whose key has the settings that part it from others after them. */
const datasetOf = (key: string): string => key.split(',', 1)[0] as string;

/** The first of those that are the same by what `key` takes of them. */
function once<T>(items: readonly T[], key: (item: T) => unknown): T[] {
  const seen = new Set<string>();
  return items.filter((item) => {
    const text = JSON.stringify(key(item));
    return seen.size < seen.add(text).size;
  });
}

/** `3 holds, 1 fails`. */
const count = (verdicts: readonly string[], names: readonly string[]): string =>
  names.map((name) => `${verdicts.filter((verdict) => verdict === name).length} ${name}`).join(', ');

function claimLine({ of, claim }: { of: LinkedTable; claim: Claim }): string {
  const { columnGroups, conditions } = of.table;
  const all = columnGroups.filter(({ hasRuns }) => hasRuns).map(({ title }) => title);
  // A table of several says in the claim which it is about.
  const said = all.filter((title) => claim.text.startsWith(`${title}: `));
  const where = said.length > 0 ? said : all;
  const scale = conditions.length > 0 ? `, ${plural(conditions.length, 'condition')} otherwise` : '';
  const text = [claim.text, claim.verdict as string, claim.detail, `${where.join('; ')}${scale}`];
  return tableLine([linkOf(of), ...text.map(escapeText)]);
}

/** The titles of a cell's group, column and row. */
function namesOf({ table: { rows, columns, columnGroups } }: LinkedTable, cell: Cell): string[] {
  const column = columns.find(({ key }) => key === cell.column);
  const group = columnGroups.find(({ key }) => key === column?.group);
  const row = rows.find(({ key }) => key === cell.row);
  return [group?.title ?? '', column?.title ?? '', row ? rowTitle(row) : ''];
}

function numberLine({ of, cell }: { of: LinkedTable; cell: Cell }): string {
  const { decimals } = of.table;
  return tableLine([
    linkOf(of),
    ...[
      namesOf(of, cell).filter(Boolean).join(', '),
      cell.measured ? formatMeasured(cell.measured, decimals) : '–',
      cell.paper ? formatNumber(cell.paper.mean, decimals) : '–',
      cell.status,
      cell.difference ? formatInterval(cell.difference, decimals) : '–',
    ].map(escapeText),
  ]);
}

const linkOf = ({ table, link }: LinkedTable): string => `[${table.id}](<${link}>)`;
