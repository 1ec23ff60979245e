/** The folder that tables and reports are written to, and whose they are: nobody's are overwritten by another experiment's of the same name. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { writeJson } from '../base/files.ts';
import { canonicalJson, type Json } from '../base/json.ts';
import { optionValue, type Request } from './arguments.ts';
import { selectionOption } from './option-values.ts';
import { checkFolder } from './output.ts';
import { UsageError } from './usage.ts';

/** What was run into a folder, as its file `experiment.json` says. */
interface Owner {
  /** The experiment file, from the folder on; of one far away its name alone. */
  file: string;
  /** A hash of the path of a file far away, whose name alone does not distinguish it from others. */
  place?: string;
  set: Record<string, Json>;
}

export interface OutFolder {
  dir: string;
  owner: Owner;
}

const recordName = 'experiment.json';

/** Longer names of folders are cut, and distinguished by a hash. */
const longestName = 100;

/**
 * The folder for tables: --out, or `results/<name>` in the project that the file belongs to, of other settings by --set `results/<name>,<settings>`.
 * Throws a UsageError where it has those of another file or of other settings, and a StorageError where it cannot be written.
 */
export async function openOutFolder(request: Request, experiment: string): Promise<OutFolder> {
  const { set } = await selectionOption(request);
  const file = resolve(request.positionals[0] as string);
  const given = optionValue(request, 'out');
  const dir = given ? resolve(given) : join(resultsFolder(file), nameOf(experiment, set));
  checkFolder(dir, '--out');
  const owner = { ...pathFrom(dir, file), set };
  checkOwner(dir, owner);
  return { dir, owner };
}

/** Says in the folder whose tables it has. Where that cannot be written, neither could they, which was said. */
export async function claimFolder({ dir, owner }: OutFolder): Promise<void> {
  if (existsSync(dir)) await writeJson(join(dir, recordName), owner).catch(() => {});
}

function resultsFolder(file: string): string {
  for (let dir = dirname(file); ; dir = dirname(dir)) {
    if (existsSync(join(dir, 'package.json'))) return join(dir, 'results');
    if (dir === dirname(dir)) return join(process.cwd(), 'results');
  }
}

const settingsOf = (set: Owner['set']) =>
  Object.entries(set)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : canonicalJson(value)}`)
    .sort();

function nameOf(experiment: string, set: Owner['set']): string {
  const full = [experiment, ...settingsOf(set)].join(',');
  const plain = full.replace(/[^\w.,=+-]+/g, '_');
  if (plain === full && full.length <= longestName) return full;
  return `${plain.slice(0, longestName)}-${hashOf(full)}`;
}

const hashOf = (text: string) => new Bun.CryptoHasher('sha256').update(text).digest('hex').slice(0, 8);

/** Relative, so that both may move together; of a file far away not the path, since results are published and paths name people. */
function pathFrom(dir: string, file: string): Pick<Owner, 'file' | 'place'> {
  const [, top] = dir.split('/');
  if (file.startsWith(`/${top}/`)) return { file: relative(dir, file) };
  return { file: basename(file), place: hashOf(file) };
}

function checkOwner(dir: string, { file, place, set }: Owner): void {
  let other: Partial<Owner>;
  try {
    other = JSON.parse(readFileSync(join(dir, recordName), 'utf8'));
  } catch {
    // It has none, as folders of earlier versions of the program; one that cannot be read is no reason to refuse.
    return;
  }
  const remedy = 'or name another folder by --out';
  const isOther = typeof other.file === 'string' && (other.file !== file || other.place !== place);
  // One that is gone was moved. Of one far away nobody knows.
  if (isOther && (other.place !== undefined || existsSync(resolve(dir, other.file as string))))
    throw new UsageError(
      `${dir} has the tables of ${other.place ? `another ${other.file}` : relative(process.cwd(), resolve(dir, other.file as string))}`,
      `give one of the two experiments another name, ${remedy}`,
    );
  if (canonicalJson(other.set ?? {}) !== canonicalJson(set)) {
    const settings = settingsOf(other.set ?? {}).map((one) => ` --set ${one}`);
    throw new UsageError(
      `${dir} has the tables of this experiment ${settings.length > 0 ? `with${settings.join('')}` : 'without --set'}`,
      `remove it, ${remedy}`,
    );
  }
}
