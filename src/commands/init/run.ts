/** `exp init <template> [file]`. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asStorageError } from '../../base/file-errors.ts';
import { writeSafely } from '../../base/files.ts';
import type { Request } from '../arguments.ts';
import { print } from '../output.ts';
import { UsageError } from '../usage.ts';
import { fillTemplate } from './templates.ts';

const schema = fileURLToPath(new URL('../../../schemas/experiment.schema.json', import.meta.url));

/** Returns the exit code. */
export async function initCommand({ positionals }: Request): Promise<number> {
  const [template, file = `${template}.yaml`] = positionals as [string, string?];
  if (!/\.ya?ml$/.test(file)) throw new UsageError(`${file} is no name of a YAML file`, `e.g. ${file}.yaml`);
  if (existsSync(file)) throw new UsageError(`${file} is there already`, 'name another file');
  const folder = dirname(resolve(file));
  try {
    await mkdir(folder, { recursive: true });
    await writeSafely(file, fillTemplate(template, nameFor(file), schemaFrom(folder)));
  } catch (error) {
    throw asStorageError(`${file} cannot be written`, error, 'the argument <file>');
  }
  print(`${file} written. exp ${file} --dry-run shows what it would compute.`);
  return 0;
}

/** The experiment's name: the file's, in the letters that names have. */
function nameFor(file: string): string {
  const words = basename(file)
    .replace(/\.ya?ml$/, '')
    .toLowerCase()
    .match(/[a-z0-9]+/g);
  return words?.join('-') ?? 'experiment';
}

/** Inside the project relative, so that it may move. */
function schemaFrom(folder: string): string {
  const project = dirname(dirname(schema));
  return `${folder}/`.startsWith(`${project}/`) ? relative(folder, schema) : schema;
}
