import { difference, type Table } from '../table.ts';
import type { Renderer } from './renderer.ts';

const header = [
  'table',
  'group',
  'row',
  'column',
  'measured_mean',
  'measured_sd',
  'n',
  'paper_mean',
  'paper_sd',
  'difference',
  'status',
  'note',
];

type Field = string | number | null | undefined;

export const csv: Renderer = {
  name: 'csv',
  description:
    'One cell per line (RFC 4180) for spreadsheets and data frames; numbers in full precision, empty for none.',
  extension: 'csv',
  render: (table) => [header, ...lines(table)].map((line) => `${line.map(quote).join(',')}\r\n`).join(''),
};

function lines(table: Table): Field[][] {
  const groups = new Map(table.columns.map(({ key, group }) => [key, group]));
  return table.cells.map((cell) => [
    table.id,
    groups.get(cell.column),
    cell.row,
    cell.column,
    cell.measured?.mean,
    cell.measured?.sd,
    cell.measured?.n,
    cell.paper?.mean,
    cell.paper?.sd,
    difference(cell),
    cell.status,
    cell.note,
  ]);
}

function quote(field: Field): string {
  const text = String(field ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
