import { mkdir } from 'node:fs/promises';
import { basename, isAbsolute, join } from 'node:path';
import { asStorageError } from '../../base/file-errors.ts';
import { writeSafely } from '../../base/files.ts';
import type { Plan } from '../../experiment/types.ts';
import type { FigureFormat } from '../../report/figures/formats.ts';
import type { View } from '../../report/view.ts';
import type { Store } from '../../runner/store.ts';
import { optionValue, type Request } from '../arguments.ts';
import type { Results } from '../results.ts';
import { collectEvidence } from './collect.ts';

/** Writes `report.html` of a plan's finished runs to a folder, its figures to `figures/` in it, and returns its path. Throws a StorageError if the system refuses. */
export async function writeReport(
  request: Request,
  plan: Plan,
  store: Store,
  { byRun }: Results,
  outDir: string,
  view: View,
): Promise<string> {
  // Charts and tables take libraries that no other command needs.
  const { buildTables } = await import('../../report/build.ts');
  const { renderPage } = await import('../../report/page/page.ts');
  const { drawFigures } = await import('../../report/figures/registry.ts');
  const { writeFigures } = await import('../../report/figures/write.ts');
  const { positionals, values } = request;
  const format = (optionValue(request, 'format') ?? 'svg') as FigureFormat;
  const options = ['set', 'only'].flatMap((name) =>
    (values.get(name) ?? []).map((value) => ` --${name} ${value}`),
  );
  const file = positionals[0] as string;
  // A page is published, and an absolute path names a machine's user.
  const command = `exp ${isAbsolute(file) ? basename(file) : file}${options.join('')}`;
  const evidence = await collectEvidence(plan, store, command);
  const tables = buildTables(plan, byRun);
  const figures = drawFigures({ plan, results: byRun, tables, evidence });
  const page = renderPage(plan, byRun, tables, figures, evidence, view);
  try {
    await mkdir(outDir, { recursive: true });
    const path = join(outDir, 'report.html');
    await writeSafely(path, page);
    await writeFigures(figures, join(outDir, 'figures'), format);
    return path;
  } catch (error) {
    throw asStorageError(`the report cannot be written to ${outDir}`, error, '--out');
  }
}
