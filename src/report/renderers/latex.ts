import { type Block, type CellText, claimLines, layOut } from '../layout.ts';
import type { Table } from '../table.ts';
import type { Renderer } from './renderer.ts';

export const latex: Renderer = {
  name: 'latex',
  description: 'A table environment for pdfLaTeX, with the package booktabs.',
  extension: 'tex',
  render(table) {
    const blocks = layOut(table);
    const columns = Math.max(...blocks.map((block) => block.columns.length));
    const lines = [
      '% Needs \\usepackage{booktabs}.',
      '\\begin{table}',
      '  \\centering',
      `  \\caption{${escapeText(caption(table))}}`,
      `  \\label{tab:paper-${table.id}}`,
      `  \\begin{tabular}{l${'r'.repeat(columns)}}`,
      '    \\toprule',
      ...blocks.flatMap((block, i) => [...(i > 0 ? ['    \\midrule'] : []), ...renderBlock(block)]),
      '    \\bottomrule',
      '  \\end{tabular}',
      ...paragraphs(blocks.flatMap(({ title, notes }) => notes.map((note) => `${title}: ${note}`))),
      ...paragraphs(claimLines(table)),
      ...paragraphs(table.notes),
      '\\end{table}',
    ];
    return `${lines.join('\n')}\n`;
  },
};

function caption({ id, title, caption, unit }: Table): string {
  return `${title} (Table ${id} of Schürholt et al., 2024). ${caption} Unit: ${unit}.`;
}

function renderBlock({ title, columns, rows }: Block): string[] {
  return [
    `    \\multicolumn{${columns.length + 1}}{l}{${escapeText(title)}} \\\\`,
    '    \\midrule',
    tableLine(['', ...columns.map(escapeText)]),
    '    \\midrule',
    ...rows.flatMap(({ title, cells }, i) => [
      ...(i > 0 ? ['    \\addlinespace'] : []),
      tableLine([escapeText(title), ...cells.map(({ measured }) => math(measured))]),
      tableLine(['\\quad paper', ...cells.map(({ paper }) => math(paper))]),
      tableLine(['\\quad difference', ...cells.map(verdict)]),
    ]),
  ];
}

/** The difference and the status, or the status alone. */
function verdict({ difference, status }: CellText): string {
  return difference ? `${math(difference)} ${status}` : status;
}

const tableLine = (cells: string[]) => `    ${cells.join(' & ')} \\\\`;
const paragraphs = (texts: string[]) => texts.map((text) => `  \\par\\footnotesize ${escapeText(text)}`);

/** A number in math mode, so that its minus is typeset as one; a word or the dash stays text. */
function math(number: string): string {
  return /\d/.test(number) ? `$${number.replace('±', '\\pm')}$` : escapeText(number);
}

const special: Record<string, string> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
  '|': '\\textbar{}',
  '–': '--',
};

function escapeText(text: string): string {
  return text.replace(/[\\~^<>|–#$%&_{}]/g, (character) => special[character] ?? `\\${character}`);
}
