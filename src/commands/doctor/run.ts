/** `exp doctor`: which devices start here, and whether the artefacts of a store are as they were written. */

import { plural } from '../../base/plural.ts';
import { verify } from '../../runner/verify.ts';
import { stages } from '../../stages/registry.ts';
import { type Diagnosis, diagnoseDevices, type Finding } from '../../tensor/devices/registry.ts';
import type { Request } from '../arguments.ts';
import { openStore } from '../option-values.ts';
import { print, printJson, style } from '../output.ts';

/** Returns the exit code: 1 if no device starts or an artefact is damaged. */
export async function doctorCommand(request: Request): Promise<number> {
  const json = request.switches.has('json');
  const devices = await diagnoseDevices();
  for (const device of devices) {
    if (json) printJson({ event: 'device', ...device });
    else print(describeDevice(device));
  }
  const someStart = devices.some(({ starts }) => starts);
  const hasStore = request.positionals.length > 0 || request.values.has('store');
  const damaged = hasStore ? await checkStore(request, json) : 0;
  return someStart && damaged === 0 ? 0 : 1;
}

function describeDevice({ name, kind, description, starts, findings, ...only }: Diagnosis): string {
  const lines = findings?.flatMap(({ what, ...finding }) =>
    describe(finding, `${mark(finding.found)} ${what}: `),
  );
  return [
    `${mark(starts)} ${name.padEnd(11)} ${kind}  ${description}`,
    ...(lines ?? describe({ ...only, found: starts })),
  ].join('\n');
}

/** What was found; or what was not, and below it the remedy. */
function describe({ found, detail, remedy }: Omit<Finding, 'what'>, head = ''): string[] {
  return [`    ${head}${detail}`, ...(!found && remedy ? [`      ${remedy}`] : [])];
}

const mark = (good: boolean) => (good ? style('green', '✓') : style('red', '✗'));

/** Reads every artefact of the store. Returns how many are damaged. */
async function checkStore(request: Request, json: boolean): Promise<number> {
  const store = openStore(request);
  const found = store.list(Object.keys(stages));
  let damaged = 0;
  for (const { dir } of found) {
    const damage = await verify(dir, { everything: true });
    if (damage === undefined) continue;
    damaged++;
    if (json) printJson({ event: 'damaged', dir, damage });
    else print(`${style('red', '✗')} ${dir}\n    ${damage}`);
  }
  if (json) printJson({ event: 'store', store: store.root, artefacts: found.length, damaged });
  else print(`${store.root}: ${plural(found.length, 'artefact')}, ${damaged} damaged`);
  return damaged;
}
