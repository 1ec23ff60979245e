/** Which test files fuzz repeats: those whose numbers come from the seed. */
import { dirname, join, relative } from 'node:path';
import { Glob } from 'bun';

const seedModule = join(import.meta.dir, '..', 'seed.ts');
const ending = '.test.ts';

/** The test files in a folder that import the seed, themselves or by a helper: their paths in it without `.test.ts`, sorted. */
export async function findAreas(folder: string): Promise<string[]> {
  const seeded = new Map<string, Promise<boolean>>([[seedModule, Promise.resolve(true)]]);
  const usesSeed = (file: string): Promise<boolean> => {
    const known = seeded.get(file);
    if (known) return known;
    // A file that is being looked at is no reason by itself, should imports form a circle.
    seeded.set(file, Promise.resolve(false));
    const answer = importsOf(file).then(async (files) =>
      (await Promise.all(files.map(usesSeed))).includes(true),
    );
    seeded.set(file, answer);
    return answer;
  };
  const areas: string[] = [];
  for await (const file of new Glob(`**/*${ending}`).scan({ cwd: folder, absolute: true }))
    if (await usesSeed(file)) areas.push(relative(folder, file).slice(0, -ending.length));
  return areas.sort();
}

/** The local modules that a file imports, but for those of src/. */
async function importsOf(file: string): Promise<string[]> {
  const transpiler = new Bun.Transpiler({ loader: 'ts' });
  return transpiler
    .scanImports(await Bun.file(file).text())
    .map(({ path }) => (path.startsWith('.') ? join(dirname(file), path) : path))
    .filter((path) => path.startsWith('/') && path.endsWith('.ts') && !path.includes('/src/'));
}

export const testFile = (folder: string, area: string) => join(folder, `${area}${ending}`);
