/** Turns what ajv says into what a person wants to read. */
import type { ErrorObject } from 'ajv';
import type { Problem } from './problems.ts';
import { didYouMean } from './suggest.ts';

type Path = readonly (string | number)[];

/** A value as it would stand in YAML, shortened. */
export function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** `zoo.epochs`, `overrides.0.set`. */
export const dotted = (path: Path): string => path.join('.');

const article: Record<string, string> = {
  object: 'a mapping',
  array: 'a list',
  string: 'a text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  null: 'null',
};

const typeName = (type: string | string[]): string =>
  (Array.isArray(type) ? type : [type]).map((name) => article[name] ?? name).join(' or ');

/** Keys of an object schema, its patterns aside. */
function knownKeys(schema: unknown): string[] {
  const { properties } = (schema ?? {}) as { properties?: Record<string, unknown> };
  return Object.keys(properties ?? {});
}

/** More keys than a reader wants to see in one line. */
const mostKeysListed = 30;

/** What to write instead of an unknown key. */
function hintFor(key: string, known: readonly string[]): string {
  const inBlock = known.find((one) => one.startsWith(`${key}.`));
  if (inBlock) return `settings are named by dotted paths here, such as ${inBlock}`;
  const [, name] = key.split('.');
  const elsewhere = known.find((one) => name !== undefined && one.endsWith(`.${name}`));
  const suggestion = didYouMean(key, known) ?? (elsewhere && `did you mean ${elsewhere}?`);
  if (suggestion) return suggestion;
  if (known.length <= mostKeysListed) return `known here: ${known.join(', ')}`;
  return `known here are ${known.slice(0, 4).join(', ')} and ${known.length - 4} more: see schemas/experiment.schema.json`;
}

/** Segments of a JSON pointer. */
function pointerPath(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** A problem, where it is, and whether its key is to be marked rather than its value. */
export interface Located {
  problem: Omit<Problem, 'place' | 'path'>;
  path: Path;
  markKey: boolean;
}

/** As many names as a person reads through. */
const longestList = 30;

/** One ajv error in plain words; undefined for those that only repeat another (`oneOf` and the like). */
function translateOne(error: ErrorObject): Located | undefined {
  const path = pointerPath(error.instancePath);
  // Of an unknown key the data is everything around it.
  const received = error.keyword === 'additionalProperties' ? undefined : show(error.data);
  const at = (problem: Located['problem'], where: Path = path, markKey = false): Located => ({
    problem,
    path: where,
    markKey,
  });
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = params.additionalProperty as string;
      const hint = hintFor(key, knownKeys(error.parentSchema));
      const problem = key.includes('.')
        ? { code: 'unknown-setting', message: 'there is no such setting', hint }
        : { code: 'unknown-key', message: 'unknown key', hint };
      return at(problem, [...path, key], true);
    }
    case 'required': {
      const key = params.missingProperty as string;
      return at({ code: 'missing-key', message: `the key ${key} is missing`, hint: `add \`${key}:\`` });
    }
    case 'enum': {
      const values = params.allowedValues as unknown[];
      const allowed = values.map(String);
      if (error.propertyName !== undefined) {
        const key = error.propertyName;
        const message = 'a key that does not go with the others here';
        const expected = `only ${allowed.join(', ')}`;
        return at({ code: 'misplaced-key', message, expected }, [...path, key], true);
      }
      // Its type is another mistake, which says more.
      if (typeof values[0] !== typeof error.data) return undefined;
      const hint = typeof error.data === 'string' ? didYouMean(error.data, allowed) : undefined;
      return at({
        code: 'unknown-value',
        message: 'unknown value',
        expected:
          allowed.length > longestList
            ? `one of ${allowed.length} names, which schemas/experiment.schema.json lists`
            : `one of ${allowed.join(', ')}`,
        received,
        hint,
      });
    }
    case 'type': {
      const names = (error.parentSchema as { enum?: readonly unknown[] } | undefined)?.enum;
      const listed = names !== undefined && names.length <= longestList;
      const expected = listed ? `one of ${names.join(', ')}` : typeName(params.type as string | string[]);
      return at({ code: 'wrong-type', message: 'wrong type', expected, received });
    }
    case 'minimum':
    case 'exclusiveMinimum':
    case 'maximum':
    case 'exclusiveMaximum': {
      const words = { '>=': 'at least', '>': 'more than', '<=': 'at most', '<': 'less than' };
      const expected = `${words[params.comparison as keyof typeof words]} ${params.limit}`;
      return at({ code: 'out-of-range', message: 'out of range', expected, received });
    }
    case 'multipleOf':
      return at({
        code: 'out-of-range',
        message: 'out of range',
        expected: `a multiple of ${params.multipleOf}`,
        received,
      });
    case 'minItems':
    case 'minProperties':
      return at({
        code: 'too-few',
        message: 'empty, or too few values',
        expected: `at least ${params.limit}`,
        received,
      });
    case 'maxItems':
      return at({
        code: 'too-many',
        message: 'too many values',
        expected: `at most ${params.limit}`,
        received,
      });
    case 'uniqueItems': {
      const twice = show((error.data as unknown[])[params.j as number]);
      return at({ code: 'duplicate-value', message: `the value ${twice} appears twice` }, [
        ...path,
        params.i as number,
      ]);
    }
    case 'pattern':
      return at({
        code: 'bad-name',
        message: 'not a valid name',
        expected: 'lower-case letters and digits, parts joined by -',
        received,
      });
    case 'maxLength':
      return at({
        code: 'bad-name',
        message: 'too long',
        expected: `at most ${params.limit} characters`,
        received,
      });
    // Where a kind decides by which rules a mapping is checked, the list of kinds says what is wrong with it.
    case 'discriminator':
    case 'oneOf':
    case 'anyOf':
    case 'if':
    case 'propertyNames':
      return undefined;
    default:
      return at({ code: error.keyword, message: error.message ?? 'not valid', received });
  }
}

/**
 * Problems of ajv's errors. Of the alternatives at one place (`oneOf`, `anyOf`) those errors are kept that say most: the ones inside
 * the value, or else the ones about something other than its type; wrong types of several alternatives become one.
 */
export function translate(errors: readonly ErrorObject[]): Located[] {
  const alternatives = new Set(
    errors.filter(({ keyword }) => isAlternative(keyword)).map(({ instancePath }) => instancePath),
  );
  const result: Located[] = [];
  const typesAt = new Map<string, Located>();
  for (const error of errors) {
    const { instancePath, keyword } = error;
    const isType = keyword === 'type';
    const earlier = isType && typesAt.get(instancePath);
    if (earlier) {
      const type = typeName((error.params as { type: string }).type);
      const expected = (earlier.problem.expected as string).split(' or ');
      if (!expected.includes(type)) earlier.problem.expected += ` or ${type}`;
      continue;
    }
    if (alternatives.has(instancePath)) {
      const others = errors.filter((other) => !isAlternative(other.keyword) && other !== error);
      const isInside = others.some((other) => other.instancePath.startsWith(`${instancePath}/`));
      const saysMore = others.some(
        (other) => other.instancePath === instancePath && other.keyword !== 'type',
      );
      if (isInside || (isType && saysMore)) continue;
    }
    const located = translateOne(error);
    if (!located) continue;
    if (isType) typesAt.set(instancePath, located);
    result.push(located);
  }
  return result;
}

const isAlternative = (keyword: string) => keyword === 'oneOf' || keyword === 'anyOf';
