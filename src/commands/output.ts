/** Standard output and error, and folders to write to. A reader that closes the pipe (`| head`) stops the printing, not the program. */
import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { styleText } from 'node:util';
import { asStorageError, StorageError } from '../base/file-errors.ts';

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    // What was computed is kept; who asked for results has none.
    if (stream === process.stdout) printError(`exp: standard output cannot be written: ${error.message}`);
    process.exit(1);
  });
}

/** Throws a StorageError if the folder cannot be made or written, before there is anything to write; `option` is what names another. */
export function checkFolder(folder: string, option: string): void {
  try {
    for (let path = folder; ; path = dirname(path)) {
      const stat = statSync(path, { throwIfNoEntry: false });
      if (!stat) continue;
      if (!stat.isDirectory())
        throw new StorageError(`${path} is a file, no folder. Name another one by ${option}.`);
      accessSync(path, constants.W_OK | constants.X_OK);
      return;
    }
  } catch (error) {
    throw asStorageError(`nothing can be written to ${folder}`, error, option);
  }
}

/** Whether a stream is a terminal that shows colours (https://no-color.org). */
export function hasColor(stream: NodeJS.WriteStream): boolean {
  if (process.env.FORCE_COLOR) return true;
  return Boolean(stream.isTTY) && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
}

/** Results. */
export function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** One event of `--json`. */
export function printJson(event: { event: string; [name: string]: unknown }): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

/** Everything but results. */
export function printError(text: string): void {
  process.stderr.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** Text in a style on standard output, where it has colours. */
export function style(format: Parameters<typeof styleText>[0], text: string): string {
  return hasColor(process.stdout) ? styleText(format, text, { validateStream: false }) : text;
}
