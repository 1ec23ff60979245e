/** How large SANE's tables of positions (n, layer, row) must be, and whether they are. */
import type { SaneShape } from './parameters.ts';
import type { TokenLayout } from './tokenize.ts';

/** Rows that the three tables need for these tokens: tokens, layers, rows of a layer. */
export function positionRows({ positions }: Pick<TokenLayout, 'positions'>): SaneShape['positions'] {
  const needed: [tokens: number, layers: number, rows: number] = [0, 0, 0];
  for (const [i, position] of positions.entries())
    needed[i % 3] = Math.max(needed[i % 3] as number, position + 1);
  return needed;
}

/** What is wrong where a network's tokens lie outside of the tables that SANE has learnt, or undefined: names the sizes, not the remedy. */
export function positionProblem(
  layout: Pick<TokenLayout, 'positions'>,
  { positions: tables }: Pick<SaneShape, 'positions'>,
): string | undefined {
  const needed = positionRows(layout);
  if (needed.every((rows, i) => rows <= (tables[i] as number))) return undefined;
  const [tokens, layers, rows] = needed;
  const count = (n: number, thing: string) => `${n} ${thing}${n === 1 ? '' : 's'}`;
  return `${count(tokens, 'token')}, ${count(layers, 'layer')} and up to ${count(rows, 'row')} in a layer; this SANE has positions for ${tables.join(', ')}`;
}
