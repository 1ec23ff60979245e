/** The tables of the paper that can be written. */
import type { TableDefinition } from '../definition.ts';
import { table01 } from './table-01.ts';
import { table09 } from './table-09.ts';
import { table10 } from './table-10.ts';

export const tableDefinitions: readonly TableDefinition[] = [table01, table09, table10];
