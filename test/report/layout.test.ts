/** How a table is laid out: what is shown, in which order, what is bold. */
import { describe, expect, test } from 'bun:test';
import { layOut } from '../../src/report/layout.ts';
import { html } from '../../src/report/renderers/html.ts';
import { cut, spansOf } from '../../src/report/sheet.ts';
import type { Best, Cell, Condition, Table } from '../../src/report/table.ts';
import { linesUnder } from '../../src/report/words.ts';

/** Two data sets of which the second has no run; epochs 0 and 25 of which the second was not measured. */
function tableOf(best: Best = { among: 'block-rows', is: 'highest' }): Table {
  const rows = [
    ['0', 'scratch', 10.4, 10],
    ['0', 'KDE30', 66.44, 84.8],
    ['0', 'SUB', 66.36, 86.7],
    ['25', 'SUB', null, 92.3],
  ] as const;
  const cells = rows.flatMap(([epoch, method, ours, paper]): Cell[] => {
    const common = { row: `${epoch} ${method}`, pending: false, note: '', difference: null };
    return [
      {
        ...{ ...common, column: 'mnist/accuracy', paper: { mean: paper, sd: null, n: null } },
        measured:
          ours === null ? null : { mean: ours, sd: 0.5, n: 3, of: 'seed', models: null, interval: null },
        status: ours === null ? 'missing' : 'scaled',
      },
      {
        ...common,
        column: 'svhn/accuracy',
        measured: null,
        paper: { mean: paper / 2, sd: 1, n: null },
        status: 'missing',
      },
    ];
  });
  return {
    ...{ key: 'table-03', id: 3, title: 'Generated', caption: '', unit: '%', decimals: 1, best },
    stub: ['Epoch', 'Method'],
    columnGroups: [
      { key: 'mnist', title: 'glyphs (paper: MNIST)', hasRuns: true },
      { key: 'svhn', title: 'SVHN', hasRuns: false },
    ],
    columns: ['mnist', 'svhn'].map((group) => ({
      key: `${group}/accuracy`,
      title: 'Accuracy',
      group,
      labels: {},
    })),
    rows: rows.map(([epoch, method]) => ({ key: `${epoch} ${method}`, titles: [epoch, method], labels: {} })),
    cells,
    ...{ claims: [], notes: [], conditions: [], view: {} },
  };
}

const texts = (table: Table, view: Parameters<typeof layOut>[1] = {}) =>
  layOut(table, view).blocks.map((block) =>
    block.map(({ titles, cells }) => [...titles, ...cells.map(({ text }) => text)]),
  );

const bold = (best: Best, of: 'ours' | 'paper') =>
  layOut(tableOf(best), {})
    .blocks.flat()
    .flatMap(({ titles, cells }) =>
      cells.some((cell) => cell.best && cell.kind === of) ? [titles.join(' ')] : [],
    );

describe('a table', () => {
  test('is ours and the paper’s side by side, in blocks of rows, without what has no run', () => {
    expect(texts(tableOf())).toEqual([
      [
        ['0', 'scratch', '10.4 ± 0.5', '10.0'],
        ['0', 'KDE30', '66.4 ± 0.5', '84.8'],
        ['0', 'SUB', '66.4 ± 0.5', '86.7'],
      ],
    ]);
    const { leaves } = layOut(tableOf(), {});
    expect(spansOf(leaves)).toEqual([
      [{ title: 'glyphs (paper: MNIST)', columns: 2 }],
      [
        { title: 'ours', columns: 1 },
        { title: 'paper', columns: 1 },
      ],
    ]);
    expect(linesUnder(tableOf(), {})).toEqual(['No runs here for: SVHN.']);
  });

  test('has what has no run in grey where it is asked for', () => {
    const sheet = layOut(tableOf(), { all: true });
    expect(sheet.blocks.map((block) => block.length)).toEqual([3, 1]);
    const [row] = sheet.blocks[1] ?? [];
    expect(row?.cells.map(({ text, grey }) => [text, grey])).toEqual([
      ['–', true],
      ['92.3', true],
      ['–', true],
      ['46.1 ± 1.0', true],
    ]);
    expect(linesUnder(tableOf(), { all: true })).toEqual([]);
  });

  test('is ours alone, or ours less the paper’s', () => {
    expect(texts(tableOf(), { layout: 'ours' })[0]?.[1]).toEqual(['0', 'KDE30', '66.4 ± 0.5']);
    expect(texts(tableOf(), { layout: 'difference' })[0]?.[1]).toEqual(['0', 'KDE30', '-18.4']);
    expect(linesUnder(tableOf(), { layout: 'difference' })[0]).toBe("Each number is ours less the paper's.");
  });

  test('has intervals beside what they are of', () => {
    const some = tableOf();
    const cells = some.cells.map((cell): Cell => {
      const { measured } = cell;
      const resampled = { models: 9, interval: [60.04, 70] } as const;
      return { ...cell, measured: measured && { ...measured, ...resampled }, difference: [-20, 0.04] };
    });
    const table = { ...some, cells };
    expect(texts(table)[0]?.[1]).toEqual(['0', 'KDE30', '66.4 ± 0.5 [60.0, 70.0]', '84.8']);
    expect(texts(table, { layout: 'difference' })[0]?.[1]).toEqual(['0', 'KDE30', '-18.4 [-20.0, 0.0]']);
    expect(linesUnder(table, { layout: 'difference' })[0]).toBe(
      "Each number is ours less the paper's, […] its 90 % interval.",
    );
    expect(html.render(table, {})).toContain('<td class="best">66.4 <small>± 0.5 [60.0, 70.0]</small></td>');
  });

  test('is shown as the experiment asks for unless the command says otherwise', () => {
    const table = { ...tableOf(), view: { layout: 'ours', all: true } as const };
    expect(texts(table)[1]?.[0]).toEqual(['25', 'SUB', '–', '–']);
    expect(texts(table, { layout: 'difference' })[0]?.[0]).toEqual(['0', 'scratch', '+0.4', '–']);
  });

  test('has the best of those that compete in bold, ties as printed too', () => {
    expect(bold({ among: 'block-rows', is: 'highest' }, 'ours')).toEqual(['0 KDE30', '0 SUB']);
    expect(bold({ among: 'block-rows', is: 'highest' }, 'paper')).toEqual(['0 SUB']);
    expect(bold({ among: 'rows', is: 'lowest' }, 'ours')).toEqual(['0 scratch']);
    // One column has nothing to compete with.
    expect(bold({ among: 'columns', is: 'highest' }, 'ours')).toEqual([]);
  });

  test('shows the places of runs that are not finished, and all of them before the first is', () => {
    const some = tableOf();
    const pending = some.cells.map((cell): Cell => ({ ...cell, pending: cell.column === 'mnist/accuracy' }));
    expect(texts({ ...some, cells: pending }).flat().length).toBe(3);
    const none = pending.map((cell): Cell => ({ ...cell, measured: null, status: 'missing' }));
    expect(texts({ ...some, cells: none }).map((block) => block.map(([, , ours]) => ours))).toEqual([
      ['not run', 'not run', 'not run'],
      ['not run'],
    ]);
  });

  test('says of marks what they mean, where they occur', () => {
    const some = tableOf();
    const statuses = ['equivalent', 'different', 'inconclusive', 'failed'] as const;
    const cells = some.cells.map((cell, i): Cell => ({ ...cell, status: statuses[i / 2] ?? cell.status }));
    const marks = layOut({ ...some, cells }, {})
      .blocks.flat()
      .map(({ cells: [ours] }) => ours?.mark);
    expect(marks.slice(0, 3)).toEqual(['=', '≠', '?']);
    expect(linesUnder({ ...some, cells }, {})[0]).toBe('= equivalent, ≠ different, ? inconclusive.');
    const failed = some.cells.map((cell): Cell => ({ ...cell, status: 'failed' }));
    expect(linesUnder({ ...some, cells: failed }, {})[0]).toBe('× failed.');
  });

  test('is cut between columns of the table where it is too wide, never between ours and the paper’s', () => {
    const sheet = layOut(tableOf(), { all: true });
    const parts = cut(sheet, 3, (columns) => columns.length);
    expect(parts.map(({ leaves }) => leaves.map(({ headings }) => headings))).toEqual([
      [
        ['glyphs (paper: MNIST)', 'ours'],
        ['glyphs (paper: MNIST)', 'paper'],
      ],
      [
        ['SVHN', 'ours'],
        ['SVHN', 'paper'],
      ],
    ]);
    expect(parts[1]?.blocks[0]?.[1]?.cells.map(({ text }) => text)).toEqual(['–', '42.4 ± 1.0']);
  });
});

test('one sentence tells the most telling conditions, and how many more there are', () => {
  const condition = (setting: string, where = ''): Condition => ({ setting, value: '1', paper: '2', where });
  const say = (conditions: Condition[]) => linesUnder({ ...tableOf(), conditions }, { all: true });
  expect(say([])).toEqual([]);
  expect(say([condition('sane.heads'), condition('zoo.models')])).toEqual([
    'Scaled, so not comparable with the paper number by number: zoo.models 1 instead of 2, sane.heads 1 instead of 2.',
  ]);
  const many = ['sane.heads', 'sane.layers', 'sane.d_model', 'zoo.epochs', 'dataset'].map((name) =>
    condition(name),
  );
  expect(say([...many, condition('zoo.seed', 'SVHN')])).toEqual([
    'Scaled, so not comparable with the paper number by number: dataset 1 instead of 2, zoo.epochs 1 instead of 2, sane.d_model 1 instead of 2, sane.heads 1 instead of 2; 2 more differences in the list at the end.',
  ]);
});
