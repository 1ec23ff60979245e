import { layOut } from '../layout.ts';
import { labelsIn, type Sheet, type SheetCell, spansOf } from '../sheet.ts';
import type { Table } from '../table.ts';
import type { View } from '../view.ts';
import { claimLines, conditionLines, heading, linesUnder } from '../words.ts';
import type { Renderer } from './renderer.ts';

export const html: Renderer = {
  name: 'html',
  description: 'A page that holds all it needs, without scripts; pivots are coloured as heat maps.',
  extension: 'html',
  render: (table, view) => `<!doctype html>
<html lang="en">
${pageHead(heading(table), style)}
<main>
${tableSection(table, view)}
</main>
</html>
`,
};

/** What a page begins with. Its policy keeps the browser from asking for anything, whatever the page holds. */
export const pageHead = (title: string, style: string): string => `<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeText(title)}</title>
<style>${style}</style>`;

/** What `tableSection` needs of a page's style. Text of the lightest grey has a contrast of 5.7 to the page, black on the darkest blue one of 8. */
export const style = `
body { margin: 0; background: #fff; color: #1b1f24; font: 16px/1.45 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1, h2 { font-size: 1.25rem; line-height: 1.25; }
h3 { font-size: 1rem; margin: 1.2em 0 .3em; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; border-block: 2px solid; font-variant-numeric: tabular-nums; }
.caption { max-width: 48rem; color: #59636e; }
th, td { padding: .15rem .6rem; text-align: right; white-space: nowrap; }
thead tr:last-child { border-bottom: 1px solid; }
thead th[colspan] { text-align: center; }
th.label { text-align: left; font-weight: normal; }
thead th.label { font-weight: bold; vertical-align: bottom; }
tbody + tbody { border-top: 1px solid #c5cbd3; }
tbody th[rowspan] { vertical-align: top; font-weight: bold; }
.paper, .grey, small { color: #59636e; }
.best { font-weight: bold; }
.failed { color: #a40e26; }
td small { font-size: .8em; font-weight: normal; color: inherit; }
ul { padding-left: 1.2rem; }
.holds::marker { content: "✓ "; }
.fails::marker { content: "✗ "; }
.inconclusive::marker { content: "? "; }
.trivial::marker { content: "– "; }
.unknown::marker { content: "· "; }
@media print { main { max-width: none; padding: 0; } .scroll { overflow: visible; } table, li { break-inside: avoid; } td { print-color-adjust: exact; } }
`;

/** One table with all that is said of it, for a page that has `style`. */
export function tableSection(table: Table, view: View): string {
  const id = escapeText(table.key);
  const parts = [
    `<section aria-labelledby="${id}">`,
    `<h2 id="${id}">${escapeText(heading(table))}</h2>`,
    `<p class="caption">${escapeText(`${table.caption} Unit: ${table.unit}.`.trim())}</p>`,
    // A region that scrolls must be reached by the keyboard too.
    `<div class="scroll" role="region" aria-labelledby="${id}" tabindex="0">${renderSheet(layOut(table, view), id)}</div>`,
    ...linesUnder(table, view).map((line) => `<p>${escapeText(line)}</p>`),
    ...renderClaims(table),
    ...list('Notes', table.notes),
    ...folded("Differences from the paper's conditions", conditionLines(table)),
    '</section>',
  ];
  return parts.join('\n');
}

function renderSheet({ stub, leaves, blocks }: Sheet, title: string): string {
  const levels = spansOf(leaves);
  const labels = stub.map(
    (title) => `<th class="label" scope="col" rowspan="${levels.length}">${escapeText(title)}</th>`,
  );
  const head = levels.map((spans, level) => {
    const titles = spans.map(({ title, columns }) =>
      columns > 1
        ? `<th scope="colgroup" colspan="${columns}">${escapeText(title)}</th>`
        : `<th scope="col">${escapeText(title)}</th>`,
    );
    return `<tr>${level === 0 ? labels.join('') : ''}${titles.join('')}</tr>`;
  });
  const body = blocks.map((block) => {
    const rows = block.map(({ cells }, i) => {
      const titles = labelsIn(block, i).map((title, k) => {
        if (k > 0 || stub.length === 1) return `<th class="label" scope="row">${escapeText(title)}</th>`;
        return i === 0
          ? `<th class="label" scope="rowgroup" rowspan="${block.length}">${escapeText(title)}</th>`
          : '';
      });
      return `<tr>${titles.join('')}${cells.map(renderCell).join('')}</tr>`;
    });
    return `<tbody>\n${rows.join('\n')}\n</tbody>`;
  });
  return `<table aria-labelledby="${title}">\n<thead>\n${head.join('\n')}\n</thead>\n${body.join('\n')}\n</table>`;
}

function renderCell({ text, kind, best, grey, mark, status, shade }: SheetCell): string {
  const classes = [
    ...(kind === 'paper' ? ['paper'] : []),
    ...(best ? ['best'] : []),
    ...(grey ? ['grey'] : []),
    ...(status === 'failed' && kind !== 'paper' ? ['failed'] : []),
  ];
  const attributes = [
    ...(classes.length > 0 ? [` class="${classes.join(' ')}"`] : []),
    ...(shade === null ? [] : [` style="background:${shadeColor(shade)}"`]),
  ];
  // What stands beside a number, ± and interval, is smaller.
  const [, mean, beside] = /^([-+\d.]+) (.+)$/.exec(text) ?? [];
  const number =
    beside === undefined
      ? escapeText(text)
      : `${escapeText(mean as string)} <small>${escapeText(beside)}</small>`;
  const sign = mark ? ` <abbr title="${status}">${mark}</abbr>` : '';
  return `<td${attributes.join('')}>${number}${sign}</td>`;
}

/** From nearly white (worst) to a blue on which black is read well. */
function shadeColor(shade: number): string {
  const [light, dark] = [
    [244, 248, 255],
    [124, 170, 243],
  ] as const;
  const mixed = light.map((value, i) => Math.round(value + shade * ((dark[i] as number) - value)));
  return `rgb(${mixed.join(' ')})`;
}

function renderClaims(table: Table): string[] {
  if (table.claims.length === 0) return [];
  const lines = claimLines(table);
  const items = table.claims.map(
    ({ verdict }, i) => `<li class="${verdict ?? 'unknown'}">${escapeText(lines[i] as string)}</li>`,
  );
  return [`<h3>Claims of the paper</h3>\n<ul>\n${items.join('\n')}\n</ul>`];
}

const items = (texts: readonly string[]) =>
  `<ul>\n${texts.map((text) => `<li>${escapeText(text)}</li>`).join('\n')}\n</ul>`;

const list = (title: string, texts: readonly string[]): string[] =>
  texts.length > 0 ? [`<h3>${escapeText(title)}</h3>\n${items(texts)}`] : [];

const folded = (title: string, texts: readonly string[]): string[] =>
  texts.length > 0
    ? [`<details>\n<summary>${escapeText(title)} (${texts.length})</summary>\n${items(texts)}\n</details>`]
    : [];

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text as text, in elements and attributes. */
export function escapeText(text: string): string {
  return text.replace(/[&<>"]/g, (character) => entities[character] as string);
}
