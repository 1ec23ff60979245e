/** `exp zoo import <folder> --out <folder>`: a zoo of other people as a zoo of this program. */
import { readdir, rename, rm } from 'node:fs/promises';
import { resolve as absolute, basename, dirname } from 'node:path';
import { removeLeftovers } from '../base/files.ts';
import { datasets } from '../data/registry.ts';
import { resolve } from '../experiment/resolve.ts';
import { defaults } from '../experiment/schema.ts';
import type { ZooSettings } from '../experiment/types.ts';
import { architectures } from '../nets/registry.ts';
import { findZoo } from '../zoo/import/find.ts';
import type { FoundZoo } from '../zoo/import/found.ts';
import { type ImportOptions, importZoo } from '../zoo/import/import.ts';
import type { Request } from './arguments.ts';
import { print, printError, printJson } from './output.ts';
import { nameOption } from './settings.ts';
import { UsageError } from './usage.ts';

/** How many of the checkpoints left out are told one by one. */
const toldApart = 10;

/** Returns the exit code. */
export async function zooCommand(request: Request): Promise<number> {
  const [action, folder] = request.positionals as [string, string];
  if (action !== 'import')
    throw new UsageError(`zoo has no action ${action}`, `exp zoo import ${folder} --out a folder`);
  const out = request.values.get('out')?.[0];
  if (out === undefined) throw new UsageError('zoo import needs --out', '--out a new folder for the zoo');
  if (!(await isFree(out))) throw new UsageError(`${out} is not empty`, '--out a new folder');
  const options = {
    architecture: nameOption(request, 'architecture', Object.keys(architectures)) ?? null,
    dataset: nameOption(request, 'dataset', Object.keys(datasets)) ?? null,
    epochs: epochsOption(request),
  };
  const { split, seed } = defaults.zoo as unknown as ZooSettings;
  const settings = { ...options, models: null, split, seed, hyperparameters: paperTraining };
  const found = await findZoo(absolute(folder));
  const { manifest, dropped } = await importWhole(found, absolute(out), settings);
  const { architecture, dataset, models, epochs } = manifest;
  const checkpoints = models.reduce((sum, model) => sum + model.checkpoints.length, 0);
  if (request.switches.has('json')) {
    printJson({
      event: 'zoo',
      out,
      architecture,
      dataset,
      models: models.length,
      epochs,
      checkpoints,
      dropped,
    });
    return 0;
  }
  for (const { path, reason } of dropped.slice(0, toldApart))
    printError(`left out: ${reason.startsWith(path) ? reason : `${path}: ${reason}`}`);
  if (dropped.length > toldApart)
    printError(`and ${dropped.length - toldApart} more, in ${out}/dropped.json`);
  print(
    `${out}: ${models.length} models of ${architecture} on ${dataset}, ${checkpoints} checkpoints of epochs ${epochs.join(', ')}`,
  );
  // Experiments lie anywhere, and take a path that is not absolute from their own folder on.
  const folderInYaml = asYaml(absolute(out));
  print(
    `use it in an experiment with\n  zoo: {import: ${folderInYaml}, checkpoints: [${epochs.join(', ')}]}`,
  );
  return 0;
}

/** A path as text in braces of YAML: quoted where it is not plain. */
const asYaml = (path: string) => (/^[\w./-]+$/.test(path) ? path : JSON.stringify(path));

/** Whether a folder may be made there: there is none, or an empty one. Throws the system's error about anything else. */
async function isFree(path: string): Promise<boolean> {
  const names = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.length === 0;
}

/** Imports into a folder beside `out`, which is renamed at the end: what fails leaves nothing behind. */
async function importWhole(found: FoundZoo, out: string, settings: ImportOptions) {
  const unfinished = `${out}.importing-${process.pid}`;
  await removeLeftovers(dirname(out), `${basename(out)}.importing-`, /\.importing-(\d+)$/);
  try {
    const imported = await importZoo(found, unfinished, settings);
    await rename(unfinished, out);
    return imported;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** What the paper's models of that architecture and data set had in training. */
function paperTraining(architecture: string, dataset: string) {
  const point = { architecture, dataset, task: 'property-prediction', seed: 0 };
  const { zoo } = resolve({ name: 'import', grid: {} } as Parameters<typeof resolve>[0], point, {}).settings;
  const { optimizer, learning_rate, weight_decay, dropout, activation, init } = zoo;
  return { optimizer, learning_rate, weight_decay, dropout, activation, init };
}

function epochsOption({ values }: Request): number[] | null {
  const [text] = values.get('epochs') ?? [];
  if (text === undefined) return null;
  if (/^\d+(,\d+)*$/.test(text)) return text.split(',').map(Number);
  throw new UsageError(`--epochs ${text} is no list of epochs`, 'e.g. --epochs 21,22,23');
}
