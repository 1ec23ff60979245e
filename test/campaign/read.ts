/** Reads a file as the program does, and prints what became of it: `read`, or `refused: ` and the message. Any other end is a crash. */
import { UnreadableFile } from '../../src/base/file-errors.ts';
import { FormatError } from '../../src/base/source.ts';
import { planExperiment } from '../../src/experiment/expand.ts';
import { loadExperiment } from '../../src/experiment/load.ts';
import { ExperimentError, formatProblems } from '../../src/experiment/problems.ts';
import { catalogue } from '../../src/stages/catalogue.ts';
import { readCheckpoint } from '../../src/zoo/formats/checkpoint.ts';

/** What is said of a mistake. Throws any other error on. */
function refusal(error: unknown): string {
  if (error instanceof ExperimentError) return formatProblems(error, { color: false });
  if (error instanceof FormatError || error instanceof UnreadableFile) return error.message;
  throw error;
}

export async function read(path: string): Promise<string> {
  try {
    if (path.endsWith('.yaml')) planExperiment(await loadExperiment(path, catalogue));
    else await readCheckpoint(path);
    return 'read';
  } catch (error) {
    return `refused: ${refusal(error)}`;
  }
}

/** For controls: a reader that takes what the file says as it is. */
async function trust(path: string): Promise<string> {
  const text = await Bun.file(path).text();
  return `read ${JSON.parse(text).constructor.name}`;
}

if (import.meta.main) {
  const [path, mode] = process.argv.slice(2) as [string, string?];
  console.log(await (mode === 'trust' ? trust : read)(path));
}
