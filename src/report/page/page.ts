/** The report: one HTML file with all that an experiment gave, which asks for nothing else. */
import type { Plan } from '../../experiment/types.ts';
import { describeCondition, summarizeConditions } from '../conditions.ts';
import type { Figure } from '../figures/draw.ts';
import type { Evidence } from '../figures/evidence.ts';
import { publishedReason, type RunResults } from '../measure.ts';
import { escapeText, pageHead, tableSection, style as tableStyle } from '../renderers/html.ts';
import type { Condition, Table } from '../table.ts';
import type { View } from '../view.ts';
import { formatBytes, formatSeconds } from './format.ts';

const style = `${tableStyle}
h1 { font-size: 1.75rem; margin-block: .5rem; }
section { margin-block: 2.5rem; }
.facts { color: #59636e; margin: 0; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .75rem; padding: 0; list-style: none; }
.cards li { border: 1px solid #c5cbd3; border-radius: .4rem; padding: .6rem .8rem; }
.cards b { display: block; font-size: 1.3rem; }
.scaled { background: #fff5c2; border: 1px solid #d9c04a; border-radius: .4rem; padding: .6rem .8rem; }
.chart { overflow-x: auto; }
.chart { margin-block: 1.5rem; }
pre { overflow-x: auto; background: #f4f6f8; padding: .6rem .8rem; font-size: .85rem; }
@media print { .cards li, .chart { break-inside: avoid; } pre { white-space: pre-wrap; } }
`;

/** The page of a plan, its results by run id, its tables, its figures, and what its artefacts hold. */
export function renderPage(
  plan: Plan,
  results: RunResults,
  tables: readonly Table[],
  figures: readonly Figure[],
  evidence: Evidence,
  view: View,
): string {
  const { name, description } = plan;
  // The tables of an experiment mostly have the same runs, and are scaled alike.
  const said = tables.find(({ conditions }) => conditions.length > 0)?.conditions ?? [];
  const facts = [
    ...(evidence.commit ? [`commit ${evidence.commit}`] : []),
    ...evidence.machines.filter((text) => !text.endsWith('no device')),
  ];
  return `<!doctype html>
<html lang="en">
${pageHead(name, style)}
<main>
<h1>${escapeText(name)}</h1>
${description ? `<p>${escapeText(description)}</p>` : ''}
<p class="facts">${escapeText(facts.join(' · '))}</p>
<ul class="cards">
${cards(plan, results, tables, evidence)
  .map(([value, label]) => `<li><b>${escapeText(value)}</b> ${escapeText(label)}</li>`)
  .join('\n')}
</ul>
${scaledBox(said)}
${failures(plan, results)}
${tables.map((table) => tableSection(withoutSaid(table, said), view)).join('\n')}
${figureSection(figures)}
<section id="settings">
<h2>Settings</h2>
<p>Made by <code>${escapeText(evidence.command)}</code></p>
<details>
<summary>All settings of the first run (${escapeText(plan.runs[0]?.id ?? '')})</summary>
<pre>${escapeText(JSON.stringify(plan.runs[0]?.settings, null, 1))}</pre>
</details>
<details>
<summary>Every run</summary>
<ul>
${plan.runs.map(({ id }) => `<li>${escapeText(id)}: ${results.get(id)?.status ?? 'missing'}</li>`).join('\n')}
</ul>
</details>
</section>
</main>
</html>
`;
}

/** What is known at a glance. */
function cards(
  { runs }: Plan,
  results: RunResults,
  tables: readonly Table[],
  { seconds, bytes }: Evidence,
): [string, string][] {
  const done = runs.filter(({ id }) => results.get(id)?.status === 'done').length;
  // Tables of the same runs may repeat a claim.
  const all = tables.flatMap(({ claims }) => claims);
  const claims = [...new Map(all.map((claim) => [JSON.stringify(claim), claim])).values()];
  const verdicts = (['holds', 'fails', 'inconclusive'] as const).map((verdict) =>
    claims.filter((claim) => claim.verdict === verdict),
  );
  const measured = tables
    .filter(({ id }) => id !== null)
    .flatMap(({ cells }) => cells.filter((cell) => cell.measured));
  const statuses = (['equivalent', 'different', 'inconclusive'] as const).map((status) =>
    measured.filter((cell) => cell.status === status),
  );
  const atScale = statuses.flat().length;
  return [
    [`${done} of ${runs.length}`, 'runs done'],
    ...(verdicts.flat().length > 0
      ? ([
          [
            verdicts.map((same, i) => `${'✓✗?'[i]} ${same.length}`).join(' · '),
            'claims of the paper hold, fail, are inconclusive',
          ],
        ] as [string, string][])
      : []),
    ...(measured.length > 0
      ? ([[`${atScale} of ${measured.length}`, "cells at the paper's scale"]] as [string, string][])
      : []),
    ...(atScale > 0
      ? ([
          [
            statuses.map((same, i) => `${'=≠?'[i]} ${same.length}`).join(' · '),
            "of these are equivalent to the paper's, different, inconclusive",
          ],
        ] as [string, string][])
      : []),
    [formatSeconds(seconds), `of computing; ${formatBytes(bytes)} kept`],
  ];
}

/** Without the conditions that stand above all tables. */
const withoutSaid = (table: Table, said: readonly Condition[]): Table =>
  conditionKey(table.conditions) === conditionKey(said) ? { ...table, conditions: [] } : table;

const conditionKey = (conditions: readonly Condition[]) => JSON.stringify(conditions);

function scaledBox(conditions: readonly Condition[]): string {
  if (conditions.length === 0) return '';
  const items = conditions.map((condition) => `<li>${escapeText(describeCondition(condition))}</li>`);
  return `<div class="scaled">
<p>${escapeText(summarizeConditions(conditions))} Compare the order of the methods, not the numbers.</p>
<details>
<summary>All ${items.length} differences from the paper</summary>
<ul>
${items.join('\n')}
</ul>
</details>
</div>`;
}

function failures({ runs }: Plan, results: RunResults): string {
  const failed = runs.flatMap(({ id }) => {
    const result = results.get(id);
    return result?.status === 'failed'
      ? [`<li>${escapeText(`${id}: ${publishedReason(result.reason)}`)}</li>`]
      : [];
  });
  return failed.length > 0
    ? `<section id="failures">\n<h2>Failed runs</h2>\n<ul>\n${failed.join('\n')}\n</ul>\n</section>`
    : '';
}

function figureSection(figures: readonly Figure[]): string {
  if (figures.length === 0) return '';
  const parts = figures.map(
    ({ caption, svg }) => `<div class="chart">\n<p>${escapeText(caption)}</p>\n${svg}\n</div>`,
  );
  return `<section id="charts">\n<h2>Charts</h2>\n${parts.join('\n')}\n</section>`;
}
