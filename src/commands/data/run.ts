/** `exp data ls|get|check`: which image data sets there are, bringing their files, and checking them. */

import type { Report } from '../../base/progress.ts';
import type { Dataset, Source } from '../../data/dataset.ts';
import { findFile, locate, type Publication } from '../../data/files.ts';
import { cacheFolder } from '../../data/images.ts';
import { datasets } from '../../data/registry.ts';
import type { Request } from '../arguments.ts';
import { dataOption } from '../option-values.ts';
import { print, printError, printJson, style } from '../output.ts';
import { progressLine } from '../progress-line.ts';

const sourceOf = (request: Request, report: Report = () => {}): Source => ({
  dataDir: dataOption(request),
  cacheDir: cacheFolder(),
  report,
});

const all = (names: readonly string[]): Dataset[] =>
  (names.length > 0 ? names : Object.keys(datasets)).map((name) => datasets[name] as Dataset);

interface FoundFile {
  name: string;
  bytes: number;
  /** Null: it is not here. */
  path: string | null;
}

/** Its files and where they are; nothing is read. */
async function filesOf({ publication }: Dataset, source: Source): Promise<FoundFile[]> {
  const files = publication?.files ?? [];
  return Promise.all(
    files.map(async (file) => {
      const path = await locate(publication as Publication, file, source);
      return { name: file.name, bytes: file.bytes, path: path ?? null };
    }),
  );
}

/** `246 MB`. */
function size(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  return bytes >= 1e6 ? `${Math.round(bytes / 1e6)} MB` : `${Math.ceil(bytes / 1000)} kB`;
}

function whereabouts({ publication }: Dataset, files: readonly FoundFile[]): string {
  if (!publication) return 'drawn by the program';
  const folders = new Set(files.flatMap(({ path, name }) => path?.slice(0, -name.length - 1) ?? []));
  const missing = files.filter(({ path }) => path === null);
  if (missing.length === 0) return [...folders].join(', ');
  const bytes = missing.reduce((sum, file) => sum + file.bytes, 0);
  const which = missing.length < files.length ? `${missing.length} of ${files.length} files ` : '';
  return `not here: ${which}${size(bytes)} to download from ${publication.mirrors[0]}`;
}

/** Returns the exit code. */
export async function listDatasets(request: Request): Promise<number> {
  const names = request.positionals;
  const source = sourceOf(request);
  for (const dataset of all(names)) {
    const { name, description, shape, classes, counts, publication } = dataset;
    const files = await filesOf(dataset, source);
    if (request.switches.has('json')) {
      const about = { name, description, shape, classes, images: counts };
      printJson({ event: 'dataset', ...about, files, mirrors: publication?.mirrors ?? [] });
      continue;
    }
    const facts = [
      name.padEnd(14),
      shape.join('x').padEnd(8),
      `${classes} classes`.padStart(11),
      `${counts.train} + ${counts.test} images`.padStart(22),
    ];
    print(`${style('bold', facts[0] as string)} ${facts.slice(1).join('  ')}  ${description}`);
    print(`    ${whereabouts(dataset, files)}`);
  }
  return 0;
}

/** Where progress goes: nowhere for a program that reads events. */
const progressOf = (request: Request) =>
  progressLine(request.switches.has('json') ? undefined : process.stderr);

/** Returns the exit code: 1 if a dataset could not be downloaded. */
export async function getDatasets(request: Request): Promise<number> {
  const json = request.switches.has('json');
  let failed = 0;
  for (const { name, publication } of all(request.positionals)) {
    if (!publication && !json) print(`${name}: drawn by the program, there is nothing to fetch`);
    for (const file of publication?.files ?? []) {
      const progress = progressOf(request);
      const source = sourceOf(request, progress.report);
      try {
        const into = source.dataDir ?? source.cacheDir;
        const path = await findFile(publication as Publication, file, source, into).finally(progress.end);
        if (json) printJson({ event: 'file', dataset: name, name: file.name, path });
        else print(`${name}: ${path}`);
      } catch (error) {
        failed++;
        const { message } = error as Error;
        if (json) printJson({ event: 'failed', dataset: name, name: file.name, reason: message });
        else printError(`exp: ${message}`);
        // Its other files would most likely fail alike.
        break;
      }
    }
  }
  return failed > 0 ? 1 : 0;
}

type Verdict = { state: 'good' | 'missing' } | { state: 'bad'; reason: string };

/** Reads all of a data set that is here. */
async function verdict(dataset: Dataset, request: Request): Promise<Verdict> {
  const progress = progressOf(request);
  const source = sourceOf(request, progress.report);
  const files = await filesOf(dataset, source);
  const missing = files.filter(({ path }) => path === null);
  if (files.length > 0 && missing.length === files.length) return { state: 'missing' };
  if (missing.length > 0)
    return { state: 'bad', reason: `${missing.map(({ name }) => name).join(', ')} not here` };
  try {
    const { train, test } = await dataset.load(source, { train: null, test: null }).finally(progress.end);
    const [found, published] = [
      [train, test].map(({ labels }) => labels.length),
      Object.values(dataset.counts),
    ];
    if (found.join() === published.join()) return { state: 'good' };
    return {
      state: 'bad',
      reason: `${found.join(' and ')} images, published are ${published.join(' and ')}`,
    };
  } catch (error) {
    return { state: 'bad', reason: (error as Error).message };
  }
}

/** Returns the exit code: 1 if a dataset is not as published, or one that was named is missing. */
export async function checkDatasets(request: Request): Promise<number> {
  const names = request.positionals;
  let failed = false;
  for (const dataset of all(names)) {
    const found = await verdict(dataset, request);
    // Only who names a data set expects it to be here.
    if (found.state === 'bad' || (found.state === 'missing' && names.length > 0)) failed = true;
    if (request.switches.has('json')) {
      printJson({ event: 'checked', dataset: dataset.name, ...found });
      continue;
    }
    const { counts, publication } = dataset;
    const origin = publication ? 'as published' : 'drawn by the program';
    const [mark, text] = {
      good: [style('green', '✓'), `${counts.train} and ${counts.test} images, ${origin}`],
      missing: ['-', 'not here'],
      bad: [style('red', '✗'), found.state === 'bad' ? found.reason : ''],
    }[found.state];
    print(`${mark} ${dataset.name.padEnd(14)} ${text}`);
  }
  return failed ? 1 : 0;
}
