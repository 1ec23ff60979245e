/** The tables of the paper that can be written. */
import type { TableDefinition } from '../definition.ts';
import { table01 } from './table-01.ts';
import { table02 } from './table-02.ts';
import { table03 } from './table-03.ts';
import { table04 } from './table-04.ts';
import { table05 } from './table-05.ts';
import { table06 } from './table-06.ts';
import { table07 } from './table-07.ts';
import { table09 } from './table-09.ts';
import { table10 } from './table-10.ts';
import { table11 } from './table-11.ts';
import { table12 } from './table-12.ts';
import { table13 } from './table-13.ts';
import { table14 } from './table-14.ts';
import { table15 } from './table-15.ts';
import { table16 } from './table-16.ts';
import { table17 } from './table-17.ts';

export const tableDefinitions: readonly TableDefinition[] = [
  table01,
  table02,
  table03,
  table04,
  table05,
  table06,
  table07,
  table09,
  table10,
  table11,
  table12,
  table13,
  table14,
  table15,
  table16,
  table17,
];
