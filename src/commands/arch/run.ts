/** `exp arch from-onnx <file>`: an ONNX network as an architecture of layers, and its weights. */
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Document, isMap, isPair, isSeq, visit } from 'yaml';
import { writeSafely } from '../../base/files.ts';
import { writeSafetensors } from '../../base/safetensors.ts';
import { FormatError } from '../../base/source.ts';
import { convertOnnx } from '../../nets/onnx/convert.ts';
import type { WrittenArchitecture } from '../../nets/written.ts';
import { optionValue, type Request } from '../arguments.ts';
import { print, printError } from '../output.ts';

/** Returns the exit code. */
export async function archFromOnnxCommand(request: Request): Promise<number> {
  const [path] = request.positionals as [string];
  const [out, weightsFile] = [optionValue(request, 'out'), optionValue(request, 'weights')];
  const { architecture, weights, notes } = convert(path);
  const text = asYaml(architecture);
  if (out === undefined) print(text.trimEnd());
  else await writeSafely(out, text);
  if (weightsFile !== undefined) await writeSafetensors(weightsFile, weights);
  for (const note of notes) printError(`Note: ${note}.`);
  return 0;
}

function convert(path: string) {
  const read = (file: string) => {
    try {
      return readFileSync(file);
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      throw new FormatError(`${file}: ${missing ? 'there is no such file' : (error as Error).message}`);
    }
  };
  const bytes = read(path);
  try {
    return convertOnnx(bytes, (location) => {
      // Large tensors are in a file beside it; any other place is not meant.
      if (location === '' || basename(location) !== location)
        throw new FormatError(`tensors in ${location}, which is no file beside it`);
      return read(join(dirname(path), location));
    });
  } catch (error) {
    if (error instanceof FormatError && !error.message.startsWith(dirname(path)))
      throw new FormatError(`${path}: ${error.message}`);
    throw error;
  }
}

/** YAML with a line for each layer. */
function asYaml(architecture: WrittenArchitecture): string {
  const document = new Document(architecture);
  visit(document, {
    Collection(key, node) {
      const children: unknown[] = node.items.map((item) => (isPair(item) ? item.value : item));
      if (key !== null && !children.some((child) => isMap(child) || isSeq(child))) node.flow = true;
    },
  });
  return document.toString({ lineWidth: 0 });
}
