/** Tables on a terminal of 80 columns: what was measured, the paper's number and the difference in every cell. */
import { styleText } from 'node:util';
import CliTable from 'cli-table3';
import { type Block, type BlockRow, type CellText, claimLines, heading, layOut } from '../layout.ts';
import type { Status, Table } from '../table.ts';

const terminalColumns = 80;
const rowLabels = ['  paper', '  diff.'];

const statusStyles = {
  reproduced: { mark: '=', style: 'green' },
  differs: { mark: '≠', style: 'yellow' },
  scaled: { mark: '~', style: 'cyan' },
  failed: { mark: '×', style: 'red' },
  missing: { mark: '·', style: 'dim' },
} as const satisfies Record<Status, { mark: string; style: string }>;

/** Shows the column groups that have runs and names the others. Colour only where asked for. */
export function renderTerminal(table: Table, { color }: { color: boolean }): string {
  const blocks = layOut(table);
  const shown = blocks.filter(({ hasRuns }) => hasRuns);
  const hidden = blocks.filter(({ hasRuns }) => !hasRuns).map(({ title }) => title);
  const parts = [
    wrap(`${heading(table)} (${table.unit})`),
    ...shown.map((block) => renderBlock(block, color)),
    ...(shown.length > 0 ? [legend(shown, color)] : []),
    ...(hidden.length > 0 ? [wrap(`No runs here for: ${hidden.join(', ')}.`)] : []),
    ...(table.claims.length > 0 ? [`Claims of the paper\n${list(claimLines(table))}`] : []),
    ...(table.notes.length > 0 ? [`Notes\n${list(table.notes)}`] : []),
  ];
  return `${parts.join('\n\n')}\n`;
}

function renderBlock({ title, columns, rows, notes }: Block, color: boolean): string {
  const tables = chunks(columns, rows).map((chosen) => {
    const grid = new CliTable({
      chars: rules,
      style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
      head: ['', ...chosen.map((i) => ` ${columns[i]}`)],
    });
    for (const row of rows) {
      const texts = chosen.map((i) => {
        const cell = row.cells[i] as CellText;
        const [measured, paper, verdict] = lines(cell);
        return [measured, paper, colored(verdict, cell.status, color)].join('\n');
      });
      grid.push([[row.title, ...rowLabels].join('\n'), ...texts]);
    }
    return grid.toString().replace(/ +$/gm, '');
  });
  return [wrap(title), ...tables, ...(notes.length > 0 ? [list(notes)] : [])].join('\n');
}

/** Horizontal rules only. */
const rules = {
  top: '─',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '─',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '─',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
};

/** The columns' indices in runs that fit the terminal. */
function chunks(columns: string[], rows: BlockRow[]): number[][] {
  const labels = [...rowLabels, ...rows.map(({ title }) => title)];
  const labelWidth = Math.max(...labels.map((label) => Bun.stringWidth(label))) + 2;
  const out: number[][] = [];
  let used = terminalColumns;
  columns.forEach((title, i) => {
    const texts = [` ${title}`, ...rows.flatMap(({ cells }) => lines(cells[i] as CellText))];
    const width = Math.max(...texts.map((text) => Bun.stringWidth(text))) + 2;
    if (used + width > terminalColumns) {
      out.push([]);
      used = labelWidth;
    }
    out.at(-1)?.push(i);
    used += width;
  });
  return out;
}

/** The three lines of a cell, with a place for the sign so that digits stand below each other. */
function lines({ measured, paper, difference, status }: CellText): [string, string, string] {
  const aligned = (number: string) => (/^[-+]/.test(number) ? number : ` ${number}`);
  return [aligned(measured), aligned(paper), `${aligned(difference)} ${statusStyles[status].mark}`];
}

function colored(text: string, status: Status, color: boolean): string {
  return color ? styleText(statusStyles[status].style, text, { validateStream: false }) : text;
}

/** The marks of the statuses that occur; the table's notes say what they mean. */
function legend(blocks: Block[], color: boolean): string {
  const cells = blocks.flatMap(({ rows }) => rows.flatMap(({ cells }) => cells));
  const occurring = [...new Set(cells.map(({ status }) => status))];
  return occurring
    .map((status) => colored(`${statusStyles[status].mark} ${status}`, status, color))
    .join('   ');
}

const wrap = (text: string, width = terminalColumns) => Bun.wrapAnsi(text, width, { hard: true });

const list = (items: string[]) =>
  items.map((item) => `- ${wrap(item, terminalColumns - 2).replaceAll('\n', '\n  ')}`).join('\n');
