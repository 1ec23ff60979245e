/** The paper's values: well-formed, and with the sums that a separate reading of the paper gave. */
import { describe, expect, test } from 'bun:test';
import { Ajv } from 'ajv';
import schema from '../../schemas/paper-table.schema.json';
import { paperValue, readPaperTable } from '../../src/report/paper.ts';

const ids = Array.from({ length: 17 }, (_, i) => i + 1);

/** By table: numbers, their sum, numbers with ±, sum of those, approximate numbers, sum of the listed values. */
const checksums: Record<number, [number, number, number, number, number, number]> = {
  1: [27, 13.013, 0, 0, 0, 0],
  2: [18, 15.335, 0, 0, 0, 0],
  3: [76, 4166.3, 72, 141.4, 4, 0],
  4: [56, 3042.14, 53, 56.1, 3, 0],
  5: [7, 204.4, 6, 4.8, 0, 0],
  6: [8, 1.044, 0, 0, 0, 0],
  7: [10, 587.8, 9, 14.2, 1, 0],
  8: [11, 53999, 0, 0, 2, 792],
  9: [36, -4.638, 0, 0, 0, 0],
  10: [18, 14.534, 0, 0, 0, 0],
  11: [12, 10.258, 0, 0, 0, 0],
  12: [12, 1.242, 0, 0, 0, 0],
  13: [27, 1326.6, 25, 47.2, 2, 0],
  14: [69, 2609.03, 66, 64.3, 3, 0],
  15: [16, 508.7, 14, 8.6, 0, 0],
  16: [16, 458.5, 14, 8.7, 0, 0],
  17: [16, 502.4, 14, 7.9, 0, 0],
};

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

describe('the paper’s values', () => {
  const validate = new Ajv({ allErrors: true }).compile(schema);

  test.each(ids)('of table %d fit the schema, in a layout without gaps or repetitions', (id) => {
    const paper = readPaperTable(id);
    validate(paper);
    expect(validate.errors ?? []).toEqual([]);
    expect(paper.table).toBe(id);
    const places = paper.cells.map(({ row, column }) => JSON.stringify([row, column]));
    expect(new Set(places).size).toBe(places.length);
    const count = (part: 'row' | 'column') =>
      new Set(paper.cells.map((cell) => JSON.stringify(cell[part]))).size;
    expect(places.length).toBe(count('row') * count('column'));
  });

  test.each(ids)('of table %d have the sums of a separate reading', (id) => {
    const { cells, spread } = readPaperTable(id);
    const means = cells.flatMap(({ mean }) => mean ?? []);
    const sds = cells.flatMap(({ sd }) => sd ?? []);
    const approximate = cells.filter((cell) => cell.approximate);
    const listed = cells.flatMap(({ values }) => values ?? []);
    const found = [means.length, sum(means), sds.length, sum(sds), approximate.length, sum(listed)];
    checksums[id]?.forEach((expected, i) => {
      expect(found[i]).toBeCloseTo(expected, 6);
    });
    expect(spread !== null).toBe(sds.length > 0);
  });

  test('are found by their labels, whatever the order of the labels', () => {
    const table = readPaperTable(3);
    expect(paperValue(table, { method: 'sub', epoch: 5 }, { dataset: 'svhn' })).toEqual({
      mean: 73.6,
      sd: 1.5,
      n: null,
    });
    const few = readPaperTable(15);
    expect(paperValue(few, { method: 'sub', epoch: 1 }, { budget_epochs: 5 })?.n).toBe(5);
    expect(paperValue(few, { method: 'scratch', epoch: 1 }, { budget_epochs: 5 })?.n).toBeNull();
    expect(paperValue(table, { epoch: 5, method: 'hyper-representation' }, { dataset: 'stl-10' })).toBeNull();
    expect(paperValue(table, { epoch: 5 }, { dataset: 'svhn' })).toBeNull();
  });
});
