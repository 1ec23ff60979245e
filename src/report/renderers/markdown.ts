import { layOut } from '../layout.ts';
import { labelsIn, type Sheet, type SheetCell, spansOf } from '../sheet.ts';
import { conditionLines, heading, linesUnder, signedClaims } from '../words.ts';
import type { Renderer } from './renderer.ts';

export const markdown: Renderer = {
  name: 'markdown',
  description: "GitHub's Markdown.",
  extension: 'md',
  render(table, view) {
    const parts = [
      `# ${escapeText(heading(table))}`,
      escapeText(table.caption),
      `Unit: ${escapeText(table.unit)}.`,
      renderSheet(layOut(table, view)),
      ...linesUnder(table, view).map(escapeText),
      ...section('Claims of the paper', signedClaims(table)),
      ...section('Notes', table.notes),
      ...section("Differences from the paper's conditions", conditionLines(table)),
    ];
    return `${parts.filter(Boolean).join('\n\n')}\n`;
  },
};

const section = (title: string, items: string[]): string[] =>
  items.length > 0 ? [`## ${title}`, list(items)] : [];

/** GitHub has one line of headings: those above each other are put in one, but for a first that is over all columns. */
function renderSheet({ stub, leaves, blocks }: Sheet): string {
  const [over = [], ...below] = spansOf(leaves);
  const isOverAll = over.length === 1 && below.length > 0;
  const head = leaves.map(({ headings }) =>
    headings
      .slice(isOverAll ? 1 : 0)
      .map(escapeText)
      .join('<br>'),
  );
  return [
    ...(isOverAll ? [`**${escapeText(over[0]?.title ?? '')}**`, ''] : []),
    tableLine([...stub.map(escapeText), ...head]),
    tableLine([...stub.map(() => '---'), ...leaves.map(() => '---:')]),
    ...blocks.flatMap((block) =>
      block.map(({ cells }, i) => tableLine([...labelsIn(block, i).map(escapeText), ...cells.map(cellText)])),
    ),
  ].join('\n');
}

function cellText({ text, mark, best }: SheetCell): string {
  const number = best ? `**${text}**` : text;
  return mark ? `${number} ${mark}` : number;
}

export const tableLine = (cells: string[]) => `| ${cells.join(' | ')} |`;
const list = (items: string[]) => items.map((item) => `- ${escapeText(item)}`).join('\n');

/** Characters that Markdown would read as markup, kept as they are. */
export function escapeText(text: string): string {
  return text.replace(/[\\`*_|<>[\]~#&]/g, '\\$&');
}
