/** JSON files of other programs. */
import { readFile, stat } from 'node:fs/promises';
import { FormatError } from '../../base/source.ts';

/** Far more than the settings or results of a training need. */
const largestFile = 64 * 2 ** 20;

async function readText(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > largestFile) throw new Error(`${size} bytes are more than are read`);
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new FormatError(`${path}: ${code === 'ENOENT' ? 'there is no such file' : message}`);
  }
}

/** Python writes numbers into JSON that JSON does not have. */
const parse = (text: string): unknown =>
  JSON.parse(text.replace(/(?<=[[,:]\s*)(-?Infinity|NaN)(?=\s*[,\]}])/g, 'null'));

/** The value in a file. Throws a FormatError that names it if it is not there or not JSON. */
export async function readJson(path: string): Promise<unknown> {
  const text = await readText(path);
  try {
    return parse(text);
  } catch (error) {
    throw new FormatError(`${path}: not JSON: ${(error as Error).message}`);
  }
}

/** The values of a file with one on each line, or with one array of them. A last line cut short, as an interruption leaves it, is left out. */
export async function readJsonLines(path: string): Promise<unknown[]> {
  const text = await readText(path);
  if (text.trimStart().startsWith('[')) {
    const value = await readJson(path);
    return Array.isArray(value) ? value : [value];
  }
  const lines = text.split('\n').map((line) => line.trim());
  const last = lines.findLastIndex((line) => line !== '');
  return lines.flatMap((line, i) => {
    if (line === '') return [];
    try {
      return [parse(line)];
    } catch (error) {
      if (i === last) return [];
      throw new FormatError(`${path}:${i + 1}: not JSON: ${(error as Error).message}`);
    }
  });
}
