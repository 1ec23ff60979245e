/** YAML text -> Experiment. Every mistake that can be seen in the file alone is found here, all at once. */
import { isObject } from '../base/json.ts';
import { ownArchitectures, type ReadText } from './architectures.ts';
import type { Catalogue } from './catalogue.ts';
import { checkTables } from './check-tables.ts';
import { ownDatasets, type ResolvePath } from './datasets.ts';
import { plainAxes } from './json-schema.ts';
import { ExperimentError, type Problem } from './problems.ts';
import { renameOf, renameWarning } from './renamed.ts';
import { formatOf } from './schema.ts';
import { parseYaml, type YamlSource } from './source.ts';
import { dotted, type Located, show, translate } from './translate.ts';
import type { Experiment } from './types.ts';

/** A valid experiment and the text it came from, to point into. */
export interface ParsedExperiment {
  experiment: Experiment;
  source: YamlSource;
  /** What it was checked by, and is planned with. */
  catalogue: Catalogue;
  /** What works and should be written otherwise. */
  warnings: Problem[];
}

/** More runs than a plan of them fits in memory with. */
const maxRuns = 100_000;

/** The file without the parts that are only there to be merged into others. */
const withoutNotes = (value: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith('x-')));

/** Problems between axes: more runs than can be planned, lists of unequal length in a zip, an axis given twice, a grid without the axes that runs need. */
function checkAxes(value: Record<string, unknown>): Located[] {
  const found: Located[] = [];
  const grid = isObject(value.grid) ? value.grid : {};
  const zips = (Array.isArray(value.zip) ? value.zip : []).filter(isObject);
  const seen = new Set(Object.keys(grid));
  for (const [i, zip] of zips.entries()) {
    const lengths = Object.entries(zip).map(
      ([name, list]) => [name, Array.isArray(list) ? list.length : 0] as const,
    );
    if (new Set(lengths.map(([, length]) => length)).size > 1) {
      const received = lengths.map(([name, length]) => `${name} has ${length}`).join(', ');
      found.push({
        problem: { code: 'unequal-zip', message: 'axes of one zip entry must be equally long', received },
        path: ['zip', i],
        markKey: false,
      });
    }
    const rows = Array.from({ length: lengths[0]?.[1] ?? 0 }, (_, row) =>
      JSON.stringify(Object.values(zip).map((list) => (Array.isArray(list) ? list[row] : null))),
    );
    const again = rows.findIndex((row, k) => rows.indexOf(row) < k);
    if (again >= 0) {
      const [name, list] = Object.entries(zip)[0] as [string, unknown];
      found.push({
        problem: {
          code: 'duplicate-value',
          message: `entry ${again + 1} of these lists repeats entry ${rows.indexOf(rows[again] as string) + 1}`,
        },
        path: ['zip', i, name, ...(Array.isArray(list) ? [again] : [])],
        markKey: false,
      });
    }
    for (const name of Object.keys(zip)) {
      if (seen.has(name)) {
        found.push({
          problem: {
            code: 'axis-twice',
            message: 'this axis is in the grid or in another zip entry already',
          },
          path: ['zip', i, name],
          markKey: true,
        });
      }
      seen.add(name);
    }
  }
  const axes = [...Object.values(grid), ...zips.map((zip) => Object.values(zip)[0])];
  const runs = axes.reduce<number>((product, list) => product * (Array.isArray(list) ? list.length : 1), 1);
  if (runs > maxRuns)
    found.push({
      problem: {
        code: 'too-many-runs',
        message: `the grid has ${runs.toLocaleString('en-US')} runs, more than ${maxRuns.toLocaleString('en-US')}`,
        hint: 'shorten its lists, or divide it among several experiments',
      },
      path: ['grid'],
      markKey: true,
    });
  const included = (Array.isArray(value.include) ? value.include : []).filter(isObject);
  for (const axis of plainAxes) {
    if (axis === 'seed' || seen.has(axis) || included.some((entry) => axis in entry)) continue;
    found.push({
      problem: {
        code: 'missing-axis',
        message: `the grid has no ${axis}`,
        hint: `add \`${axis}: [...]\` to grid`,
      },
      path: ['grid'],
      markKey: true,
    });
  }
  return found;
}

/**
 * Parses a file's text and checks it by the catalogue, with the architectures and data sets that it defines itself. Throws an
 * ExperimentError with every mistake. `read` gives the text of a file that it names, `resolve` where a folder is.
 */
export function parseExperiment(
  text: string,
  file: string,
  given: Catalogue,
  read: ReadText = () => ({ problem: 'files cannot be read here' }),
  resolve: ResolvePath = (path) => path,
): ParsedExperiment {
  const source = parseYaml(text, file, renameOf(given));
  const problems = [...source.problems];
  const { value } = source;
  const fail = (): never => {
    throw new ExperimentError(problems, file, text);
  };
  if (value === undefined && problems.length > 0) fail();
  if (!isObject(value)) {
    const received = value === null || value === undefined ? 'nothing but comments or space' : show(value);
    const hint = 'start with `name:` and `grid:`; experiments/quickstart.yaml is an example';
    problems.push({
      code: 'not-a-mapping',
      path: '',
      message: 'not an experiment',
      expected: 'a mapping',
      received,
      hint,
    });
    return fail();
  }
  const withArchitectures = ownArchitectures(value.architectures, given, read);
  const withDatasets = ownDatasets(value.datasets, withArchitectures.catalogue, resolve);
  const { catalogue } = withDatasets;
  const located = [
    ...withArchitectures.located,
    ...withDatasets.located,
    ...translate(formatOf(catalogue).validateFile(value)),
    ...checkAxes(value),
    ...checkTables(value, catalogue),
  ];
  for (const { problem, path, markKey } of located) {
    problems.push({ ...problem, path: dotted(path), place: source.locate(path, markKey) });
  }
  if (problems.length > 0) fail();
  return {
    experiment: withoutNotes(value) as unknown as Experiment,
    source,
    catalogue,
    warnings: source.renamed.map(renameWarning),
  };
}
