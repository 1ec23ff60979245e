/** What is said of a table in words: its heading, what stands under it, its claims, the list at the end. */
import { describeCondition, summarizeConditions } from './conditions.ts';
import { layOut, marks, resolveView } from './layout.ts';
import { type Claim, type Row, rowTitle, type Table } from './table.ts';
import type { View } from './view.ts';

/** `Table 1. Property prediction …` */
export function heading({ id, title }: Table): string {
  return id === null ? title : `Table ${id}. ${title}`;
}

/** What stands directly under a table: marks that occur, failures, how it is scaled, what is left out. */
export function linesUnder(table: Table, view: View): string[] {
  const sheet = layOut(table, view);
  const occurring = new Set(
    sheet.blocks.flat().flatMap(({ cells }) => cells.flatMap(({ mark, status }) => (mark ? [status] : []))),
  );
  const legend = [...occurring].map((status) => `${marks[status]} ${status}`).join(', ');
  const { layout, all } = resolveView(table, view);
  const hidden = all ? [] : table.columnGroups.filter(({ hasRuns }) => !hasRuns).map(({ title }) => title);
  return [
    ...(layout === 'difference'
      ? [
          `Each number is ours less the paper's${table.cells.some((cell) => cell.difference) ? ', […] its 90 % interval' : ''}.`,
        ]
      : []),
    ...(legend ? [`${legend}.`] : []),
    ...cellNotes(table),
    ...(table.conditions.length > 0 ? [summarizeConditions(table.conditions)] : []),
    ...(hidden.length > 0 ? [`No runs here for: ${hidden.join(', ')}.`] : []),
  ];
}

/** e.g. `SANE (Ep): 1 of 3 runs failed: out of memory`, each note once; the columns and rows are left out where it is about a whole group. */
function cellNotes(table: Table): string[] {
  const { rows, cells, columns } = table;
  const noted = cells.filter(
    ({ note, measured, pending, status }) => note && (measured || pending || status === 'failed'),
  );
  return table.columnGroups.flatMap((group) => {
    const ofGroup = columns.filter((column) => column.group === group.key);
    const keys = new Set(ofGroup.map(({ key }) => key));
    const byNote = Map.groupBy(
      noted.filter(({ column }) => keys.has(column)),
      ({ note }) => note,
    );
    return [...byNote].map(([note, about]) => {
      const lead = table.columnGroups.filter(({ hasRuns }) => hasRuns).length > 1 ? `${group.title}: ` : '';
      if (about.length === ofGroup.length * rows.length) return `${lead}${note}`;
      const places = ofGroup.flatMap(({ key, title }) => {
        const those = about.filter(({ column }) => column === key);
        if (those.length === 0) return [];
        if (those.length === rows.length) return [title];
        const names = those.map(({ row }) => rowTitle(rows.find((one) => one.key === row) as Row));
        return [`${title} (${names.join(', ')})`];
      });
      return `${lead}${places.join(', ')}: ${note}`;
    });
  });
}

/** What a claim is found to do, in a character that needs no colour, and in words. */
const verdicts = {
  holds: ['✓', 'holds'],
  fails: ['✗', 'fails'],
  inconclusive: ['?', 'inconclusive'],
  trivial: ['–', 'trivial, not counted'],
  null: ['·', 'not known'],
} as const;

/** The sign of a claim's verdict. */
export const signOf = ({ verdict }: Claim): string => verdicts[`${verdict}`][0];

/** The claims as sentences. */
export function claimLines({ claims }: Table): string[] {
  return claims.map(({ text, verdict, detail }) => `${text}: ${verdicts[`${verdict}`][1]} (${detail})`);
}

/** The claims as sentences, with their signs. */
export const signedClaims = (table: Table): string[] =>
  claimLines(table).map((line, i) => `${signOf(table.claims[i] as Claim)} ${line}`);

/** The list at the end. */
export const conditionLines = ({ conditions }: Table): string[] => conditions.map(describeCondition);
