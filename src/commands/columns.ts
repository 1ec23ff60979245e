/** Text in columns for a terminal. */
import { style } from './output.ts';

/** Rows below a heading, each column as wide as it needs to be; `numbers`: all but the first column end at their right. */
export function inColumns(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  { numbers = false } = {},
): string {
  const widths = heading.map((title, i) =>
    Math.max(...[title, ...rows.map((row) => row[i] ?? '')].map((text) => Bun.stringWidth(text))),
  );
  const line = (row: readonly string[]) =>
    row
      .map((text, i) => {
        const space = ' '.repeat((widths[i] as number) - Bun.stringWidth(text));
        return numbers && i > 0 ? space + text : text + space;
      })
      .join('  ')
      .trimEnd();
  return [style('dim', line(heading)), ...rows.map(line)].join('\n');
}
