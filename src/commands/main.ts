/** Arguments in, exit code out. Commands are loaded when they are asked for, so that `--help` starts at once. */

import { isSystemError, StorageError, UnreadableFile } from '../base/file-errors.ts';
import { FormatError } from '../base/source.ts';
import { ExperimentError, formatProblems } from '../experiment/problems.ts';
import { DeviceError } from '../tensor/devices/device.ts';
import { parseArguments, type Request } from './arguments.ts';
import { hasColor, print, printError } from './output.ts';
import { UsageError } from './usage.ts';

const wrong = 2;

/** Runs the program. `stagesModule` is the module whose `stages` workers load. */
export async function main(args: readonly string[], stagesModule: string): Promise<number> {
  if (args.length === 0) {
    printError((await import('./help.ts')).helpText());
    return wrong;
  }
  try {
    return await dispatch(parseArguments(args), stagesModule);
  } catch (error) {
    const text = describeMistake(error);
    if (text === undefined) throw error;
    printError(text);
    return wrong;
  }
}

async function dispatch(request: Request, stagesModule: string): Promise<number> {
  switch (request.command) {
    case 'run':
      return (await import('./run.ts')).runCommand(request, stagesModule);
    case 'table':
      return (await import('./table.ts')).tableCommand(request);
    case 'why':
      return (await import('./why.ts')).whyCommand(request);
    case 'doctor':
      return (await import('./doctor.ts')).doctorCommand(request);
    case 'embed':
      return (await import('./embed.ts')).embedCommand(request);
    case 'reconstruct':
      return (await import('./reconstruct.ts')).reconstructCommand(request);
    case 'sample':
      return (await import('./sample.ts')).sampleCommand(request);
    case 'zoo':
      return (await import('./zoo.ts')).zooCommand(request);
    case 'data':
      return (await import('./data.ts')).dataCommand(request);
    case 'help':
      print((await import('./help.ts')).helpText());
      return 0;
    case 'version':
      print((await import('../../package.json')).version);
      return 0;
  }
}

/** What to tell a person who made a mistake; undefined for mistakes of this program. */
function describeMistake(error: unknown): string | undefined {
  if (error instanceof ExperimentError) return formatProblems(error, { color: hasColor(process.stderr) });
  if (error instanceof UsageError) return `exp: ${error.message}${error.hint ? `\n  ${error.hint}` : ''}`;
  if (error instanceof FormatError) return `exp: ${error.message}`;
  if (error instanceof DeviceError) return `exp: ${error.message}`;
  if (error instanceof UnreadableFile || error instanceof StorageError) return `exp: ${error.message}`;
  // The system refuses a file or folder that the person named: no permission, no space, a file where a folder should be.
  if (isSystemError(error)) return `exp: ${error.message}`;
  return undefined;
}
