/** Architectures that an experiment writes itself, in its block `architectures` or in files that it names there. */
import type { ArchitectureDescription, Catalogue } from './catalogue.ts';
import { ExperimentError, type Problem } from './problems.ts';
import { parseYaml } from './source.ts';
import { dotted, type Located, translate } from './translate.ts';

/** The text of a file, by its path from the experiment's folder on, or why there is none. */
export type ReadText = (path: string) => { path: string; text: string } | { problem: string };

/**
 * The catalogue with the architectures of the block, and what is wrong with them. Those that are wrong are known by name all the same, so
 * that what uses them is no mistake too. Throws an ExperimentError for a file that is named there and wrong: its lines are others.
 */
export function ownArchitectures(
  block: unknown,
  catalogue: Catalogue,
  read: ReadText,
): { catalogue: Catalogue; located: Located[] } {
  if (typeof block !== 'object' || block === null || Array.isArray(block)) return { catalogue, located: [] };
  const located: Located[] = [];
  const own: Record<string, ArchitectureDescription> = {};
  for (const [name, value] of Object.entries(block as Record<string, unknown>)) {
    const path = ['architectures', name];
    if (name in catalogue.architectures) {
      const hint = `call it otherwise, such as my-${name}`;
      located.push({
        path,
        markKey: true,
        problem: { code: 'known-name', message: `there is an architecture ${name} already`, hint },
      });
      continue;
    }
    const result =
      typeof value === 'string' ? fromFile(name, value, catalogue, read) : describe(name, value, catalogue);
    if ('build' in result) own[name] = result;
    else {
      located.push(...result.located.map((one) => ({ ...one, path: [...path, ...one.path] })));
      own[name] = unusable(name);
    }
  }
  return { catalogue: { ...catalogue, architectures: { ...catalogue.architectures, ...own } }, located };
}

const unusable = (name: string): ArchitectureDescription => ({
  ...{ name, description: '', width: null },
  build() {
    throw new Error(`${name} is not valid`);
  },
});

function describe(
  name: string,
  value: unknown,
  catalogue: Catalogue,
): ArchitectureDescription | { located: Located[] } {
  const described = catalogue.describe(name, value);
  if ('build' in described) return described;
  const misfits = described.problems.map(
    ({ path, message, hint }): Located => ({
      path,
      markKey: false,
      problem: { code: 'layer-does-not-fit', message, ...(hint !== undefined && { hint }) },
    }),
  );
  return { located: [...translate(described.errors), ...misfits] };
}

function fromFile(
  name: string,
  file: string,
  catalogue: Catalogue,
  read: ReadText,
): ArchitectureDescription | { located: Located[] } {
  const found = read(file);
  if ('problem' in found) {
    const hint = 'the path of a YAML file with `input` and `layers`, from the folder of the experiment on';
    const problem = { code: 'no-file', message: found.problem, received: file, hint };
    return { located: [{ path: [], markKey: false, problem }] };
  }
  const source = parseYaml(found.text, found.path);
  const described = source.problems.length > 0 ? { located: [] } : describe(name, source.value, catalogue);
  if ('build' in described) return described;
  const problems: Problem[] = described.located.map(({ problem, path, markKey }) => ({
    ...problem,
    path: dotted(path),
    place: source.locate(path, markKey),
  }));
  throw new ExperimentError([...source.problems, ...problems], found.path, found.text);
}
