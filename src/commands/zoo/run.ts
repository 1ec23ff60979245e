/** `exp zoo import <folder> --out <folder>`: converts a published zoo, or listed checkpoint files, to a zoo of this program. */
import { readFileSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { resolve as absolute, basename, dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { removeLeftovers, writeSafely } from '../../base/files.ts';
import { plural } from '../../base/plural.ts';
import { processTag, processTagPattern } from '../../base/processes.ts';
import { ownArchitectures } from '../../experiment/architectures.ts';
import { paperSettings } from '../../experiment/resolve.ts';
import type { WrittenArchitecture } from '../../nets/written.ts';
import { catalogue, defaults } from '../../stages/catalogue.ts';
import { describeUnused } from '../../zoo/formats/unused.ts';
import { findZoo } from '../../zoo/import/find.ts';
import type { FoundZoo } from '../../zoo/import/found.ts';
import { type ImportOptions, importZoo } from '../../zoo/import/import.ts';
import { hyperparametersOf } from '../../zoo/members.ts';
import { optionValue, type Request, requiredValue } from '../arguments.ts';
import { print, printError, printJson } from '../output.ts';
import { UsageError } from '../usage.ts';
import { describeDropped } from './dropped.ts';
import { inExperiment } from './in-experiment.ts';

/** Returns the exit code. */
export async function zooImport(request: Request): Promise<number> {
  const [folder] = request.positionals as [string];
  const out = requiredValue(request, 'out');
  if (!(await isFree(out))) throw new UsageError(`${out} is not empty`, '--out a new folder');
  const options = {
    architecture: optionValue(request, 'architecture') ?? null,
    ...layersOption(request),
    dataset: optionValue(request, 'dataset') ?? null,
    epochs: epochsOption(request),
  };
  const { split, seed } = defaults.zoo;
  const settings = { ...options, models: null, split, seed, hyperparameters: paperTraining };
  const found = await findZoo(absolute(folder), { key: optionValue(request, 'key') });
  const { manifest, dropped, unused } = await importWhole(found, absolute(out), settings);
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
      unused,
    });
    return 0;
  }
  for (const line of describeDropped(dropped, `${out}/dropped.json`)) printError(`left out: ${line}`);
  if (unused.length > 0) printError(`not used: ${describeUnused(unused)}`);
  print(
    `${out}: ${plural(models.length, 'model')} of ${architecture} on ${dataset}, ${plural(checkpoints, 'checkpoint')} of epochs ${epochs.join(', ')}`,
  );
  print(
    inExperiment(
      out,
      models.flatMap((model) => model.checkpoints),
      manifest.options.written && { architecture, layers: join(out, layersName) },
    ),
  );
  return 0;
}

/** Whether the path is free: nothing is there, or an empty folder. Throws the system's error about anything else. */
async function isFree(path: string): Promise<boolean> {
  const names = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.length === 0;
}

/** The layers of an architecture that the program does not know, beside the manifest. */
const layersName = 'architecture.yaml';

/** Imports into a temporary folder beside `out`, renamed at the end: a failed import leaves nothing behind. */
async function importWhole(found: FoundZoo, out: string, settings: ImportOptions) {
  const unfinished = `${out}.importing-${processTag()}`;
  await removeLeftovers(dirname(out), new RegExp(`\\.importing-${processTagPattern}$`));
  try {
    const imported = await importZoo(found, unfinished, settings);
    const { written } = imported.manifest.options;
    if (written) await writeSafely(join(unfinished, layersName), stringify(written));
    await rename(unfinished, out);
    return imported;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** The training settings of the paper's models of that architecture and dataset. */
const paperTraining = (architecture: string, dataset: string) =>
  hyperparametersOf(paperSettings(catalogue)({ architecture, dataset }).zoo);

/** The architecture of `--layers`, called after its file. Throws an ExperimentError with the lines that are wrong. */
function layersOption(request: Request): { architecture?: string; written?: WrittenArchitecture } {
  const path = optionValue(request, 'layers');
  if (path === undefined) return {};
  const architecture = basename(path).replace(/\.ya?ml$/, '');
  const read = (file: string) => ({ path: file, text: readFileSync(file, 'utf8') });
  const { catalogue: own } = ownArchitectures({ [architecture]: path }, catalogue, read);
  const { written } = own.architectures[architecture] as { written?: unknown };
  return { architecture, written: written as WrittenArchitecture };
}

function epochsOption(request: Request): number[] | null {
  const text = optionValue(request, 'epochs');
  if (text === undefined) return null;
  if (/^\d+(,\d+)*$/.test(text)) return text.split(',').map(Number);
  throw new UsageError(`--epochs ${text} is not a list of epochs`, 'e.g. --epochs 21,22,23');
}
