/** CSV as RFC 4180 has it. */

export type Field = string | number | boolean | null | undefined;

/** Lines of fields as text; a field of null or undefined is empty. */
export const csvText = (lines: readonly (readonly Field[])[]): string =>
  lines.map((line) => `${line.map(quote).join(',')}\r\n`).join('');

function quote(field: Field): string {
  const text = String(field ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
