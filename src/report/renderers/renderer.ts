import type { Table } from '../table.ts';
import type { View } from '../view.ts';

/** A file format for tables. */
export interface Renderer {
  name: string;
  description: string;
  /** Of the file's name, without the dot. */
  extension: string;
  /** The file's text; null where the table has nothing to write in this format. */
  render(table: Table, view: View): string | null;
}
