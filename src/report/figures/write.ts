/** Figures to files. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { asStorageError } from '../../base/file-errors.ts';
import { removeLeftovers, writeSafely } from '../../base/files.ts';
import type { Figure } from './draw.ts';
import type { FigureFormat } from './formats.ts';

/** For print: pixels of the picture for each of the figure. */
const scale = 2;

/** Writes `<name>.svg` or `.png` of each figure into a folder, which it makes. Returns the paths. Throws a StorageError if the system refuses. */
export async function writeFigures(
  figures: readonly Figure[],
  folder: string,
  format: FigureFormat,
): Promise<string[]> {
  const toPng = format === 'png' ? await pngRenderer() : null;
  try {
    await mkdir(folder, { recursive: true });
    await removeLeftovers(folder);
    const paths: string[] = [];
    for (const { name, svg } of figures) {
      const path = join(folder, `${name}.${format}`);
      await writeSafely(path, toPng ? toPng(svg) : `${svg}\n`);
      paths.push(path);
    }
    return paths;
  } catch (error) {
    throw asStorageError(`the figures cannot be written to ${folder}`, error, '--out');
  }
}

/** Loaded where it is asked for only: it is native code. */
async function pngRenderer(): Promise<(svg: string) => Uint8Array[]> {
  const { Resvg } = await import('@resvg/resvg-js');
  return (svg) => [
    new Resvg(svg, { fitTo: { mode: 'zoom', value: scale }, background: 'white' }).render().asPng(),
  ];
}
