/** YAML text -> Experiment. Every mistake that can be seen in the file alone is found here, all at once. */
import { ExperimentError } from './problems.ts';
import {
  axisNames,
  blocks,
  plainAxes,
  settingNames,
  validateAxisValue,
  validateExperiment,
} from './schema.ts';
import { parseYaml, type YamlSource } from './source.ts';
import { didYouMean } from './suggest.ts';
import { dotted, type Located, show, translate } from './translate.ts';
import type { Experiment } from './types.ts';

type Path = readonly (string | number)[];

/** A valid experiment and the text it came from, to point into. */
export interface ParsedExperiment {
  experiment: Experiment;
  source: YamlSource;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Where settings or axes are named by dotted paths, and so may be misspelt in ways that the schema's pattern lets pass. */
function dottedKeys(
  value: Record<string, unknown>,
): { path: Path; kind: 'axes' | 'assignment' | 'matcher' | 'settings' }[] {
  const result: ReturnType<typeof dottedKeys> = [{ path: ['grid'], kind: 'axes' }];
  const list = (key: string) => (Array.isArray(value[key]) ? (value[key] as unknown[]) : []);
  for (const i of list('zip').keys()) result.push({ path: ['zip', i], kind: 'axes' });
  for (const i of list('include').keys()) result.push({ path: ['include', i], kind: 'assignment' });
  for (const i of list('exclude').keys()) result.push({ path: ['exclude', i], kind: 'matcher' });
  for (const i of list('overrides').keys()) {
    result.push(
      { path: ['overrides', i, 'when'], kind: 'matcher' },
      { path: ['overrides', i, 'set'], kind: 'settings' },
    );
  }
  return result;
}

const at = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((node, part) => (node as Record<string | number, unknown> | undefined)?.[part], value);

/** Problems of the dotted names and of the values given to them. */
function checkDotted(value: Record<string, unknown>): Located[] {
  const found: Located[] = [];
  for (const { path, kind } of dottedKeys(value)) {
    const object = at(value, path);
    if (!isObject(object)) continue;
    for (const [name, content] of Object.entries(object)) {
      const here = [...path, name];
      if (!name.includes('.')) continue;
      if (!settingNames.includes(name)) {
        // The schema reports names of another form; here are those whose form is right.
        if (!blocks.some((block) => name.startsWith(`${block}.`)) || !/^[a-z_]+\.[a-z0-9_]+$/.test(name))
          continue;
        const hint = didYouMean(name, settingNames) ?? `see schemas/experiment.schema.json for the settings`;
        found.push({
          problem: { code: 'unknown-setting', message: 'there is no such setting', hint },
          path: here,
          markKey: true,
        });
        continue;
      }
      const isList = kind === 'axes' || (kind === 'matcher' && Array.isArray(content));
      const values = isList ? (Array.isArray(content) ? content : []) : [content];
      for (const [i, one] of values.entries()) {
        for (const located of translate(validateAxisValue(name, one), () => [])) {
          found.push({ ...located, path: [...here, ...(isList ? [i] : []), ...located.path] });
        }
      }
    }
  }
  return found;
}

/** Problems between axes: lists of unequal length in a zip, an axis given twice, a grid without the axes that runs need. */
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
          message: `place ${again + 1} of these lists has the values of place ${rows.indexOf(rows[again] as string) + 1} in all of them`,
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

/** Problems between settings of one block. */
function checkSettings(value: Record<string, unknown>): Located[] {
  const found: Located[] = [];
  const zoo = isObject(value.zoo) ? value.zoo : {};
  if (Array.isArray(zoo.split)) {
    const sum = zoo.split.reduce((total: number, share) => total + Number(share), 0);
    if (Math.abs(sum - 1) > 1e-8) {
      found.push({
        problem: {
          code: 'bad-split',
          message: 'the shares must add up to 1',
          received: `a sum of ${Number(sum.toFixed(6))}`,
        },
        path: ['zoo', 'split'],
        markKey: false,
      });
    }
  }
  return found;
}

/** Parses and checks a file's text. Throws an ExperimentError with every mistake. */
export function parseExperiment(text: string, file: string): ParsedExperiment {
  const source = parseYaml(text, file);
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
  const takesAxes = (path: Path) =>
    path[0] === 'grid' ||
    path[0] === 'zip' ||
    path[0] === 'include' ||
    path[0] === 'exclude' ||
    path.at(-1) === 'when';
  const keysAt = (path: Path) => (takesAxes(path) ? axisNames : path.at(-1) === 'set' ? settingNames : []);
  const located = [
    ...translate(validateExperiment(value), keysAt),
    ...checkDotted(value),
    ...checkAxes(value),
    ...checkSettings(value),
  ];
  for (const { problem, path, markKey } of located) {
    problems.push({ ...problem, path: dotted(path), place: source.locate(path, markKey) });
  }
  if (problems.length > 0) fail();
  return { experiment: value as unknown as Experiment, source };
}
