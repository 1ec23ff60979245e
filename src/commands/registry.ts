/** Every command, in the order of the help. A new one is one folder and one line here. */

import { analyse } from './analyse/command.ts';
import { archFromOnnx } from './arch/command.ts';
import { cancel } from './cancel/command.ts';
import { claims } from './claims/command.ts';
import type { Command } from './command.ts';
import { completion } from './completion/command.ts';
import { dataCheck, dataGet, dataLs } from './data/command.ts';
import { diff } from './diff/command.ts';
import { doctor } from './doctor/command.ts';
import { embed } from './embed/command.ts';
import { exportRuns } from './export/command.ts';
import { gc } from './gc/command.ts';
import { help } from './help/command.ts';
import { init } from './init/command.ts';
import { ls } from './ls/command.ts';
import { radar } from './radar/command.ts';
import { reconstruct } from './reconstruct/command.ts';
import { report } from './report/command.ts';
import { rerun } from './rerun/command.ts';
import { run } from './run/command.ts';
import { sample } from './sample/command.ts';
import { show } from './show/command.ts';
import { table } from './table/command.ts';
import { why } from './why/command.ts';
import { zooImport, zooInit, zooShow } from './zoo/command.ts';

export const commands: readonly Command[] = [
  run,
  init,
  table,
  report,
  radar,
  claims,
  ls,
  show,
  diff,
  why,
  cancel,
  exportRuns,
  rerun,
  gc,
  doctor,
  embed,
  reconstruct,
  sample,
  analyse,
  zooInit,
  zooImport,
  zooShow,
  archFromOnnx,
  dataLs,
  dataGet,
  dataCheck,
  completion,
  help,
];

/** The commands of a group, such as `data`; none if there is no such group. */
export const groupOf = (name: string): Command[] =>
  commands.filter((command) => command.name.startsWith(`${name} `));
