import { type Block, type CellText, claimLines, heading, layOut } from '../layout.ts';
import type { Renderer } from './renderer.ts';

export const markdown: Renderer = {
  name: 'markdown',
  description: "GitHub's Markdown, one table for each column group.",
  extension: 'md',
  render(table) {
    const parts = [
      `# ${escapeText(heading(table))}`,
      escapeText(table.caption),
      `Unit: ${escapeText(table.unit)}.`,
      ...layOut(table).map(renderBlock),
    ];
    const claims = claimLines(table);
    if (claims.length > 0) parts.push('## Claims of the paper', list(claims));
    if (table.notes.length > 0) parts.push('## Notes', list(table.notes));
    return `${parts.join('\n\n')}\n`;
  },
};

function renderBlock({ title, columns, rows, notes }: Block): string {
  const lines = [
    tableLine(['', ...columns.map(escapeText)]),
    tableLine(['---', ...columns.map(() => '---:')]),
    ...rows.flatMap(({ title, cells }) => [
      tableLine([`**${escapeText(title)}**`, ...cells.map(({ measured }) => `**${measured}**`)]),
      tableLine(['paper', ...cells.map(({ paper }) => paper)]),
      tableLine(['difference', ...cells.map(verdict)]),
    ]),
  ];
  return [`## ${escapeText(title)}`, lines.join('\n'), ...(notes.length > 0 ? [list(notes)] : [])].join(
    '\n\n',
  );
}

/** `-0.053 (scaled)`, or the status alone where there is no difference. */
function verdict({ difference, status }: CellText): string {
  return difference ? `${difference} (${status})` : status;
}

const tableLine = (cells: string[]) => `| ${cells.join(' | ')} |`;
const list = (items: string[]) => items.map((item) => `- ${escapeText(item)}`).join('\n');

/** Characters that Markdown would read as markup, kept as they are. */
function escapeText(text: string): string {
  return text.replace(/[\\`*_|<>[\]~#&]/g, '\\$&');
}
