/** Text in columns for a terminal. */
import { style } from './output.ts';

/** Rows below a heading, each column as wide as it needs to be. */
export function inColumns(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heading.map((title, i) =>
    Math.max(...[title, ...rows.map((row) => row[i] ?? '')].map((text) => Bun.stringWidth(text))),
  );
  const line = (row: readonly string[]) =>
    row
      .map((text, i) => text + ' '.repeat((widths[i] as number) - Bun.stringWidth(text)))
      .join('  ')
      .trimEnd();
  return [style('dim', line(heading)), ...rows.map(line)].join('\n');
}
