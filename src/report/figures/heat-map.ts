/** A pivot of two directions as a heat map. */
import * as Plot from '@observablehq/plot';
import { rowTitle, type Table } from '../table.ts';
import { draw, type Figure } from './draw.ts';

const cell = { width: 92, height: 34 };
const stubWidth = 7.4;

/** The means in the cells, with the places that have none empty. Null where the pivot has less than two rows or columns with numbers. */
export function drawHeatMap({
  key,
  title,
  unit,
  decimals,
  rows,
  columns,
  cells,
  stub,
}: Table): Figure | null {
  const points = cells.flatMap(({ row, column, measured }) => {
    const [y, x] = [rows.find((one) => one.key === row), columns.find((one) => one.key === column)];
    return measured && y && x ? [{ x: x.title, y: rowTitle(y), value: measured.mean }] : [];
  });
  const across = columns.map((column) => column.title);
  const down = rows.map((row) => rowTitle(row));
  const used = (names: readonly string[], of: 'x' | 'y') =>
    names.filter((name) => points.some((point) => point[of] === name)).length;
  if (used(across, 'x') < 2 || used(down, 'y') < 2) return null;
  const left = Math.max(56, stubWidth * Math.max(...down.map(({ length }) => length)) + 16);
  return draw(key, `${title}: mean over seeds`, {
    width: left + 20 + cell.width * across.length,
    height: 88 + cell.height * down.length,
    marginLeft: left,
    grid: false,
    legend: { title: unit },
    x: { label: null, domain: across, tickSize: 0 },
    y: { label: stub.join(', '), domain: down, tickSize: 0 },
    color: { scheme: 'blues', type: 'linear' },
    marks: [
      Plot.cell(points, { x: 'x', y: 'y', fill: 'value', inset: 1 }),
      Plot.text(points, {
        x: 'x',
        y: 'y',
        text: ({ value }: { value: number }) => value.toFixed(decimals),
        fill: '#000000',
        stroke: '#ffffff',
        strokeWidth: 2.5,
      }),
    ],
  });
}
