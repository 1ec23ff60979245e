/** Standard output and error. A reader that closes the pipe (`| head`) stops the printing, not the program. */
import { styleText } from 'node:util';

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
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
