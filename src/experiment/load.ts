/** The one place of this room that touches the disk: an experiment file's text. */
import { readFileSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { expandPath } from '../base/paths.ts';
import type { Catalogue } from './catalogue.ts';
import { type ParsedExperiment, parseExperiment } from './parse.ts';
import { ExperimentError } from './problems.ts';
import { nearest } from './suggest.ts';

/** Larger than any experiment that a person writes. */
const maxBytes = 1_000_000;

/** Where a path leads that an experiment names, from its own folder on. Throws an Error for a variable that is not set. */
const beside = (experiment: string, path: string) => resolve(dirname(experiment), expandPath(path));

/** The text of a file that an experiment names. */
function readBeside(experiment: string, file: string): { path: string; text: string } | { problem: string } {
  try {
    const path = beside(experiment, file);
    return { path, text: readFileSync(path, 'utf8') };
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return { problem: missing ? 'there is no such file' : `cannot be read: ${(error as Error).message}` };
  }
}

/** YAML files beside a path that is not there, for a suggestion. */
async function similarFile(path: string): Promise<string | undefined> {
  const folder = dirname(path);
  const files = (await readdir(folder).catch(() => [])).filter((name) => /\.ya?ml$/.test(name));
  const found = nearest(basename(path), files) ?? files.find((name) => name.startsWith(`${basename(path)}.`));
  return found && join(folder, found);
}

/** Reads an experiment file and parses it by the catalogue. Throws an ExperimentError that says what is wrong with the file or in it. */
export async function loadExperiment(path: string, catalogue: Catalogue): Promise<ParsedExperiment> {
  const fail = (code: string, message: string, hint?: string): never => {
    throw new ExperimentError([{ code, path: '', message, hint }], path);
  };
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => error);
  if (info instanceof Error) {
    if (info.code !== 'ENOENT' && info.code !== 'ENOTDIR')
      fail('unreadable', `cannot be read: ${info.message}`);
    const similar = await similarFile(path);
    return fail('no-file', 'there is no such file', similar && `did you mean ${similar}?`);
  }
  if (info.isDirectory()) {
    const files = (await readdir(path)).filter((name) => /\.ya?ml$/.test(name));
    return fail(
      'directory',
      'is a folder',
      files.length > 0 ? `it holds ${files.join(', ')}` : 'name a YAML file',
    );
  }
  if (info.size > maxBytes)
    fail('too-large', `${info.size} bytes are too many for an experiment`, 'is it another file?');
  const bytes = await readFile(path).catch((error: Error) =>
    fail('unreadable', `cannot be read: ${error.message}`),
  );
  if (bytes.length === 0) fail('empty', 'the file is empty', 'experiments/quickstart.yaml is an example');
  if (bytes.includes(0)) fail('binary', 'a binary file', 'expected YAML text');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return fail('binary', 'not UTF-8 text', 'save it as UTF-8');
  }
  return parseExperiment(
    text,
    path,
    catalogue,
    (file) => readBeside(path, file),
    (folder) => beside(path, folder),
  );
}
