import type { Table } from '../table.ts';

/** A file format for tables. */
export interface Renderer {
  name: string;
  description: string;
  /** Of the file's name, without the dot. */
  extension: string;
  render(table: Table): string;
}
