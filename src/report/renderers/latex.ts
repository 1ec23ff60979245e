import { layOut } from '../layout.ts';
import { cut, labelsIn, type Sheet, type SheetCell, spansOf } from '../sheet.ts';
import type { Table } from '../table.ts';
import { claimLines, conditionLines, heading, linesUnder } from '../words.ts';
import type { Renderer } from './renderer.ts';

/** Columns of numbers that are readable side by side over the width of a page, and over one of two columns of text. */
const widest = 12;
const widestInColumn = 4;

export const latex: Renderer = {
  name: 'latex',
  description:
    'Table environments for pdfLaTeX with the packages booktabs and graphicx, never wider than the column of text or the page.',
  extension: 'tex',
  render(table, view) {
    const sheet = layOut(table, view);
    const parts = cut(sheet, widest, (columns) =>
      columns.reduce((width, i) => width + (hasIntervals(sheet, i) ? 2 : 1), 0),
    );
    const texts = [
      ...linesUnder(table, view),
      ...table.notes,
      ...claimLines(table),
      ...(table.conditions.length > 0
        ? [`Differences from the paper's conditions: ${conditionLines(table).join('; ')}.`]
        : []),
    ];
    const lines = ['% Needs \\usepackage{booktabs} and \\usepackage{graphicx}.'];
    parts.forEach((part, i) => {
      lines.push(...environment(table, part, i, i === parts.length - 1 ? texts : []));
    });
    return `${lines.join('\n')}\n`;
  },
};

/** Numbers with intervals take the room of two. */
const hasIntervals = ({ blocks }: Sheet, column: number): boolean =>
  blocks.flat().some(({ cells }) => cells[column]?.text.includes('['));

function environment(table: Table, sheet: Sheet, part: number, texts: string[]): string[] {
  const name = sheet.leaves.length > widestInColumn ? 'table*' : 'table';
  const label = `tab:${table.id === null ? table.key : `paper-${table.id}`}${part > 0 ? `-${part + 1}` : ''}`;
  return [
    `\\begin{${name}}`,
    '  \\centering',
    `  \\caption{${escapeText(part > 0 ? `${heading(table)}, continued.` : caption(table))}}`,
    `  \\label{${label.replaceAll(/[^\w:.-]/g, '-')}}`,
    '  \\footnotesize',
    '  % As wide as it is, or scaled down to the width there is.',
    '  \\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%',
    `  \\begin{tabular}{@{}${'l'.repeat(sheet.stub.length)}${'r'.repeat(sheet.leaves.length)}@{}}`,
    '    \\toprule',
    ...head(sheet),
    '    \\midrule',
    ...sheet.blocks.flatMap((block, i) => [
      ...(i > 0 ? ['    \\midrule'] : []),
      ...block.map(({ cells }, k) =>
        tableLine([...labelsIn(block, k).map(escapeText), ...cells.map(number)]),
      ),
    ]),
    '    \\bottomrule',
    '  \\end{tabular}}',
    ...(texts.length > 0
      ? [
          '  \\par\\smallskip',
          '  \\begin{minipage}{\\linewidth}\\scriptsize\\raggedright\\sloppy',
          ...texts.map((text) => `    ${breakable(escapeText(text))}\\par`),
          '  \\end{minipage}',
        ]
      : []),
    `\\end{${name}}`,
  ];
}

function caption(table: Table): string {
  const { id, title, caption, unit } = table;
  const source = id === null ? '' : ` (Table ${id} of Schürholt et al., 2024)`;
  return `${title}${source}. ${caption ? `${caption} ` : ''}Unit: ${unit}.`;
}

/** A line for each level of headings, with a rule under each that is over several columns. */
function head({ stub, leaves }: Sheet): string[] {
  const levels = spansOf(leaves);
  return levels.flatMap((spans, level) => {
    const isLast = level === levels.length - 1;
    const titles = spans.map(({ title, columns }) =>
      columns > 1 ? `\\multicolumn{${columns}}{c}{${escapeText(title)}}` : escapeText(title),
    );
    let at = stub.length + 1;
    const rules = spans.flatMap(({ columns }) => {
      const from = at;
      at += columns;
      return columns > 1 ? [`\\cmidrule(lr){${from}-${at - 1}}`] : [];
    });
    return [
      tableLine([...stub.map((title) => (isLast ? escapeText(title) : '')), ...titles]),
      ...(rules.length > 0 && !isLast ? [`    ${rules.join(' ')}`] : []),
    ];
  });
}

const tableLine = (cells: string[]) => `    ${cells.join(' & ')} \\\\`;

/** A number in math mode, so that its minus is typeset as one; a word or the dash stays text. */
function number({ text, best, mark }: SheetCell): string {
  const sign = mark === '' ? '' : ` $${mark.replace('≠', '\\neq').replace('×', '\\times')}$`;
  if (!/\d/.test(text)) return escapeText(text) + sign;
  const math = text.replace('±', '\\pm').replace(' [', '\\;[');
  return (best ? `$\\mathbf{${math}}$` : `$${math}$`) + sign;
}

const special: Record<string, string> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
  '|': '\\textbar{}',
  '–': '--',
  '≠': '$\\neq$',
  '×': '$\\times$',
};

function escapeText(text: string): string {
  return text.replace(/[\\~^<>|–≠×#$%&_{}]/g, (character) => special[character] ?? `\\${character}`);
}

/** Words that are too long for a line of a narrow column may break after their punctuation. */
const breakable = (escaped: string) =>
  escaped.replace(/\S{20,}/g, (word) => word.replace(/([,;/.]|\\_)(?=[^\s\\])/g, '$1\\allowbreak{}'));
