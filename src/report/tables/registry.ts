/** The tables of the paper that can be written. */
import type { TableDefinition } from '../definition.ts';
import { table01 } from './table-01.ts';
import { table03 } from './table-03.ts';
import { table04 } from './table-04.ts';
import { table07 } from './table-07.ts';
import { table09 } from './table-09.ts';
import { table10 } from './table-10.ts';

export const tableDefinitions: readonly TableDefinition[] = [
  table01,
  table03,
  table04,
  table07,
  table09,
  table10,
];
