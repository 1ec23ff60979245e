import { difference, type Table } from '../table.ts';
import { csvText, type Field } from './csv-text.ts';
import type { Renderer } from './renderer.ts';

const numbers = [
  ...['mean', 'sd', 'n', 'n_of', 'ci95_low', 'ci95_high'],
  ...['paper_mean', 'paper_sd', 'paper_n', 'difference', 'ci90_low', 'ci90_high', 'status', 'note'],
];

export const csv: Renderer = {
  name: 'csv',
  description:
    'One cell per line (RFC 4180) for spreadsheets and data frames, its labels in columns of their own; numbers in full precision, empty for none. ci95 is the interval of ours, ci90 that of the difference by which the status is judged.',
  extension: 'csv',
  render: (table) => csvText([header(table), ...lines(table)]),
};

/** Names of the labels of rows and columns, each once. */
const labelNames = ({ rows, columns }: Table): string[] => [
  ...new Set([...rows, ...columns].flatMap(({ labels }) => Object.keys(labels))),
];

const header = (table: Table): string[] => ['table', 'group', ...labelNames(table), ...numbers];

function lines(table: Table): Field[][] {
  const names = labelNames(table);
  const rows = new Map(table.rows.map((row) => [row.key, row]));
  const columns = new Map(table.columns.map((column) => [column.key, column]));
  return table.cells.map((cell) => {
    const column = columns.get(cell.column);
    const labels = { ...rows.get(cell.row)?.labels, ...column?.labels };
    return [
      ...[table.id ?? table.key, column?.group],
      ...names.map((name) => labels[name]),
      ...[cell.measured?.mean, cell.measured?.sd, cell.measured?.n, cell.measured?.of],
      ...(cell.measured?.interval ?? [null, null]),
      ...[cell.paper?.mean, cell.paper?.sd, cell.paper?.n],
      ...[difference(cell), ...(cell.difference ?? [null, null])],
      ...[cell.status, cell.note],
    ];
  });
}
