/** The experiments that come with the project, as they are planned where the images are that they name. */
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Glob } from 'bun';
import type { Catalogue } from '../../src/experiment/catalogue.ts';
import { planExperiment } from '../../src/experiment/expand.ts';
import { loadExperiment } from '../../src/experiment/load.ts';
import type { Plan } from '../../src/experiment/types.ts';
import { catalogue } from '../../src/stages/catalogue.ts';
import { png } from '../data/published-files.ts';

const root = join(import.meta.dir, '../..');

/** Paths from the project's folder on. */
export const includedFiles = [...new Glob('experiments/**/*.yaml').scanSync(root)].sort();

export const includedText = (file: string): Promise<string> => Bun.file(join(root, file)).text();

/** With as many images in the folder as the copy of CIFAR-10 has, for all that a test writes of them. */
const withImages: Catalogue = {
  ...catalogue,
  imageFolder: (name, images) => ({
    ...catalogue.imageFolder(name, images),
    counts: { train: 50_000, test: 10_000 },
  }),
};

/** Ten classes of one image of 32 x 32 in colour in each split, always of the same time; planning reads the header of one. */
function writeImages(folder: string): void {
  for (const split of ['train', 'test']) {
    for (let label = 0; label < 10; label++) {
      const dir = join(folder, split, `class-${label}`);
      mkdirSync(dir, { recursive: true });
      const file = join(dir, '1.png');
      writeFileSync(file, png(new Uint8Array(32 * 3), [32, 32], { color: 2 }));
      utimesSync(file, 1e9, 1e9);
    }
  }
}

/** Plans one of these files. */
export async function planIncluded(file: string): Promise<Plan> {
  const folder = mkdtempSync(join(tmpdir(), 'included-'));
  const before = process.env.EXP_DATA;
  process.env.EXP_DATA = folder;
  try {
    writeImages(join(folder, 'cifar-10-jpeg'));
    return planExperiment(await loadExperiment(join(root, file), withImages));
  } finally {
    if (before === undefined) delete process.env.EXP_DATA;
    else process.env.EXP_DATA = before;
    rmSync(folder, { recursive: true });
  }
}
