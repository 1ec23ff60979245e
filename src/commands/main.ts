/** Arguments in, exit code out. Commands are loaded when they are asked for, so that `--help` starts at once. */

import { isSystemError, StorageError, UnreadableFile } from '../base/file-errors.ts';
import { FormatError } from '../base/source.ts';
import { ExperimentError, formatProblems } from '../experiment/problems.ts';
import { LauncherError } from '../runner/launchers/launcher.ts';
import { DeviceError } from '../tensor/devices/device.ts';
import { parseArguments } from './arguments.ts';
import { hasColor, print, printError } from './output.ts';
import { UsageError } from './usage.ts';

const wrong = 2;

/** Runs the program. `stagesModule` is the module whose `stages` workers load. */
export async function main(args: readonly string[], stagesModule: string): Promise<number> {
  if (args.length === 0) {
    printError((await import('./help/text.ts')).overview());
    return wrong;
  }
  if (args.includes('--version')) {
    print((await import('../../package.json')).version);
    return 0;
  }
  try {
    const request = await parseArguments(args);
    const run = await request.command.load();
    return await run(request, stagesModule);
  } catch (error) {
    const text = describeMistake(error);
    if (text === undefined) throw error;
    printError(text);
    return wrong;
  }
}

/** What a person who made a mistake needs to know; undefined for mistakes of this program. */
function describeMistake(error: unknown): string | undefined {
  if (error instanceof ExperimentError) return formatProblems(error, { color: hasColor(process.stderr) });
  if (error instanceof UsageError) return `exp: ${error.message}${error.hint ? `\n  ${error.hint}` : ''}`;
  if (error instanceof LauncherError) return `exp: ${error.message}${error.hint ? `\n  ${error.hint}` : ''}`;
  if (error instanceof FormatError) return `exp: ${error.message}`;
  if (error instanceof DeviceError) return `exp: ${error.message}`;
  if (error instanceof UnreadableFile || error instanceof StorageError) return `exp: ${error.message}`;
  // The system refuses a file or folder that the person named: no permission, no space, a file where a folder should be.
  if (isSystemError(error)) return `exp: ${error.message}`;
  return undefined;
}
