import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeSafely } from '../../base/files.ts';
import type { Plan } from '../../experiment/types.ts';
import { buildTables } from '../../report/build.ts';
import type { View } from '../../report/view.ts';
import type { Store } from '../../runner/store.ts';
import type { Request } from '../arguments.ts';
import type { Results } from '../results.ts';
import { collectEvidence } from './collect.ts';

/** Writes `report.html` of a plan's finished runs to a folder and returns its path. */
export async function writeReport(
  { positionals, values }: Request,
  plan: Plan,
  store: Store,
  { byRun }: Results,
  outDir: string,
  view: View,
): Promise<string> {
  // Charts take a library that no other command needs.
  const { renderPage } = await import('../../report/page/page.ts');
  const options = ['set', 'only'].flatMap((name) =>
    (values.get(name) ?? []).map((value) => ` --${name} ${value}`),
  );
  const command = `exp ${positionals[0]}${options.join('')}`;
  const page = renderPage(plan, byRun, buildTables(plan, byRun), collectEvidence(plan, store, command), view);
  await mkdir(outDir, { recursive: true });
  const path = join(outDir, 'report.html');
  await writeSafely(path, page);
  return path;
}
