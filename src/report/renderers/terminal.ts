/** Tables on a terminal of 80 columns. */
import { styleText } from 'node:util';
import CliTable from 'cli-table3';
import { layOut } from '../layout.ts';
import { cut, labelsIn, type Sheet, type SheetCell, spansOf } from '../sheet.ts';
import type { Table } from '../table.ts';
import type { View } from '../view.ts';
import { conditionLines, heading, linesUnder, signedClaims } from '../words.ts';

const terminalColumns = 80;
const gap = 2;

/** Tables one below the other, and after all of them how their runs are not under the paper's conditions. Colour only where asked for. */
export function renderTerminal(
  tables: readonly Table[],
  { color, view }: { color: boolean; view: View },
): string {
  const parts = [...tables.flatMap((table) => renderTable(table, color, view)), ...listConditions(tables)];
  return `${parts.join('\n\n')}\n`;
}

function renderTable(table: Table, color: boolean, view: View): string[] {
  const sheet = layOut(table, view);
  const under = linesUnder(table, view);
  const parts = cut(sheet, terminalColumns, (columns) => widthOf(sheet, columns));
  return [
    wrap(titleWithUnit(table)),
    // What a table of the paper is, the paper says.
    ...(table.id === null && table.caption ? [wrap(table.caption)] : []),
    ...parts.map((part) => renderSheet(part, color)),
    ...(under.length > 0 ? [under.map((line) => wrap(line)).join('\n')] : []),
    ...(table.claims.length > 0 ? [`Claims of the paper\n${list(signedClaims(table))}`] : []),
    ...(table.notes.length > 0 ? [`Notes\n${list(table.notes)}`] : []),
  ];
}

/** A title that begins with the unit, as `R² by seed`, has no need of it. */
function titleWithUnit(table: Table): string {
  const named = table.title.toLowerCase().startsWith(table.unit.toLowerCase());
  return named ? heading(table) : `${heading(table)} (${table.unit})`;
}

/** Each list once, with the tables that it is of. */
function listConditions(tables: readonly Table[]): string[] {
  const lists = Map.groupBy(
    tables.filter(({ conditions }) => conditions.length > 0),
    (table) => conditionLines(table).join('\n'),
  );
  return [...lists].map(([, of]) => {
    const names = of.length < tables.length ? ` (${of.map((table) => nameOf(table)).join(', ')})` : '';
    return `${wrap(`Differences from the paper's conditions${names}`)}\n${list(conditionLines(of[0] as Table))}`;
  });
}

const nameOf = ({ id, title }: Table) => (id === null ? title : `Table ${id}`);

/** With a place for the sign, so that digits stand below each other, and one for the mark. */
function textOf({ text, mark }: SheetCell): string {
  return `${/^[-+]/.test(text) ? text : ` ${text}`}${mark ? ` ${mark}` : ''}`;
}

/** Widths of the columns of numbers: of their cells, and then of the headings over them. */
function columnWidths({ leaves, blocks }: Sheet): number[] {
  const widths = leaves.map((_, i) =>
    Math.max(...blocks.flat().map(({ cells }) => Bun.stringWidth(textOf(cells[i] as SheetCell)))),
  );
  for (const level of spansOf(leaves)) {
    let at = 0;
    for (const { title, columns } of level) {
      const own = widths.slice(at, at + columns);
      const lacking =
        Bun.stringWidth(title) + 1 - (own.reduce((sum, width) => sum + width, 0) + gap * (columns - 1));
      if (lacking > 0) widths[at + columns - 1] = (widths[at + columns - 1] as number) + lacking;
      at += columns;
    }
  }
  return widths;
}

function stubWidths({ stub, blocks }: Sheet): number[] {
  return stub.map((title, k) => {
    const titles = [title, ...blocks.flat().map(({ titles }) => titles[k] ?? '')];
    return Math.max(...titles.map((text) => Bun.stringWidth(text)));
  });
}

function widthOf(sheet: Sheet, columns: number[]): number {
  const leaves = columns.map((i) => sheet.leaves[i] as Sheet['leaves'][number]);
  const blocks = sheet.blocks.map((rows) =>
    rows.map((row) => ({ ...row, cells: columns.map((i) => row.cells[i] as SheetCell) })),
  );
  const widths = [...stubWidths(sheet), ...columnWidths({ ...sheet, leaves, blocks })];
  return widths.reduce((sum, width) => sum + width + gap, -gap);
}

function renderSheet(sheet: Sheet, color: boolean): string {
  const widths = [...stubWidths(sheet), ...columnWidths(sheet)];
  const levels = spansOf(sheet.leaves);
  const head = levels.map((spans, level) => [
    ...sheet.stub.map((title) => (level === levels.length - 1 ? title : '')),
    ...spans.map(({ title, columns }) => ({ content: ` ${title}`, colSpan: columns })),
  ]);
  const body = sheet.blocks.map((block) =>
    block.map(({ cells }, i) => [
      ...labelsIn(block, i),
      ...cells.map((cell) => (color ? styled(textOf(cell), cell) : textOf(cell))),
    ]),
  );
  const width = widths.reduce((sum, one) => sum + one + gap, -gap);
  const rule = '─'.repeat(Math.min(width, terminalColumns));
  return [rule, ...[head, ...body].flatMap((rows) => [linesOf(rows, widths), rule])].join('\n');
}

/** Rows without lines between them; a heading may span several columns. */
function linesOf(rows: CliTable.HorizontalTableRow[], widths: readonly number[]): string {
  const grid = new CliTable({
    // A column's gap is its right padding and the one place between columns that a span counts with.
    chars: { ...noLines, middle: ' ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': gap - 1 },
    colWidths: widths.map((width) => width + gap - 1),
  });
  grid.push(...rows);
  return grid.toString().replace(/ +$/gm, '');
}

const noLines = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
  ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
  ...{ left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '' },
};

function styled(text: string, { best, grey, kind, status, mark }: SheetCell): string {
  const styles = [
    ...(best ? (['bold'] as const) : []),
    ...(grey || kind === 'paper' ? (['dim'] as const) : []),
    ...(status === 'failed' && kind !== 'paper' ? (['red'] as const) : []),
    ...(mark && status === 'equivalent' ? (['cyan'] as const) : []),
    ...(mark && status === 'different' ? (['yellow'] as const) : []),
  ];
  return styles.length > 0 ? styleText(styles, text, { validateStream: false }) : text;
}

const wrap = (text: string, width = terminalColumns) => Bun.wrapAnsi(text, width, { hard: true });

const list = (items: string[]) =>
  items.map((item) => `- ${wrap(item, terminalColumns - 2).replaceAll('\n', '\n  ')}`).join('\n');
