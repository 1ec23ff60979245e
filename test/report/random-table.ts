/** Tables of random shape, numbers and texts, the texts full of characters that some format treats specially. */
import type { Random } from '../../src/base/random.ts';
import type { Best, Cell, Status, Table } from '../../src/report/table.ts';

const words = [
  's(W)_pp',
  'a & b',
  '50 %',
  'x|y',
  '"so, so"',
  '#$^~',
  '{k}',
  'C:\\dir',
  '<b>*',
  '`[q]',
  'Größe',
  '±',
];
const statuses: Status[] = ['equivalent', 'different', 'inconclusive', 'scaled', 'failed', 'missing'];

const bests: Best[] = [
  { among: 'columns', is: 'highest' },
  { among: 'rows', is: 'lowest' },
  { among: 'block-rows', is: 'highest' },
  { among: 'block', is: 'lowest' },
];

export function randomTable(random: Random): Table {
  const pick = <T>(values: readonly T[]) => values[random.integer(values.length)] as T;
  const text = () => Array.from({ length: 1 + random.integer(3) }, () => pick(words)).join(' ');
  const number = () => random.uniform(-30, 30) * 10 ** -random.integer(4);
  const sd = () => (random.integer(2) ? Math.abs(number()) : null);
  const interval = () => (random.integer(2) ? ([number(), number()] as const) : null);
  const levels = ['zoo', 'seed', 'sample', 'model'] as const;
  const columnGroups = Array.from({ length: 1 + random.integer(3) }, (_, i) => ({
    key: `group ${i}`,
    title: `${text()} in group ${'i'.repeat(i + 1)}`,
    hasRuns: random.integer(4) > 0,
  }));
  const width = 1 + random.integer(7);
  const columns = columnGroups.flatMap((group) =>
    Array.from({ length: width }, (_, i) => ({
      ...{ key: `${group.key}/${i}`, title: text(), group: group.key },
      labels: { dataset: group.key, place: i },
    })),
  );
  const deep = random.integer(2) > 0;
  const rows = Array.from({ length: 1 + random.integer(4) }, (_, i) => ({
    key: `row ${i}`,
    titles: [...(deep ? [`block ${Math.floor(i / 2)}`] : []), `${'r'.repeat(i + 1)} ${pick(words)}`],
    labels: { row: i, ...(i % 2 ? { odd: true } : {}) },
  }));
  const cells = columns.flatMap((column) =>
    rows.map((row): Cell => {
      const n = 1 + random.integer(5);
      return {
        row: row.key,
        column: column.key,
        measured: random.integer(4)
          ? {
              ...{ mean: number(), sd: n > 1 ? Math.abs(number()) : null, n },
              ...{ of: pick(levels), models: pick([null, 9]), interval: interval() },
            }
          : null,
        paper: random.integer(4) ? { mean: number(), sd: sd(), n: pick([null, 5]) } : null,
        status: pick(statuses),
        difference: interval(),
        pending: random.integer(8) === 0,
        note: random.integer(2) ? text() : '',
      };
    }),
  );
  return {
    key: 'table-03',
    id: 1 + random.integer(17),
    title: text(),
    caption: text(),
    unit: 'R²',
    decimals: 1 + random.integer(4),
    best: pick([null, ...bests]),
    stub: deep ? ['Epoch', 'Method'] : ['Target'],
    columnGroups,
    columns,
    rows,
    cells,
    claims: [
      {
        ...{ text: text(), detail: text() },
        verdict: pick(['holds', 'fails', 'inconclusive', 'trivial', null] as const),
      },
    ],
    view: {},
    notes: [text(), text()],
    conditions: Array.from({ length: random.integer(7) }, (_, i) => ({
      ...{
        setting: `zoo.setting_${i}`,
        value: text(),
        paper: text(),
        where: random.integer(2) ? text() : '',
      },
    })),
  };
}
