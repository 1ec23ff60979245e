/** YAML text with the place of everything in it. */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml';
import { isMergeKey, mergedInto, resolved, wrongMerge } from './merge-keys.ts';
import type { Place, Problem } from './problems.ts';
import type { Rename } from './renamed.ts';

type Path = readonly (string | number)[];

/** A key that has another name now. */
export interface KeyChange {
  /** With the block before it, as a reader knows it. */
  from: string;
  to: string;
  place: Place | undefined;
}

/** Parsed YAML, with its places. `value` is undefined where the text is no single YAML document. */
export interface YamlSource {
  file: string;
  text: string;
  value: unknown;
  problems: Problem[];
  /** Keys that were renamed; `value` and `locate` have their new names. */
  renamed: KeyChange[];
  /** Where a value (or its key) stands; the nearest one around it where the path itself is not in the file. */
  locate(path: Path, markKey?: boolean): Place | undefined;
}

/** More references to anchors than any experiment needs; beyond it the file is taken for an alias bomb. */
const maxAliases = 100;

/** Deeper than any experiment; a parser that calls itself for each level has no stack for much more. */
const maxDepth = 100;

/** Where collections are nested deeper than that; undefined if nowhere. Brackets in quotes and comments count, which are never so many. */
function tooDeep(text: string): number | undefined {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '[' || character === '{') depth++;
    if ((character === ']' || character === '}') && depth > 0) depth--;
    if (depth > maxDepth) return i;
  }
  // Lists and explicit keys that begin on one line: `- - - a`.
  const compact = new RegExp(`^[ \\t]*([-?][ \\t]+){${maxDepth}}`, 'm').exec(text);
  return compact?.index;
}

function placeOf(range: readonly [number, number], counter: LineCounter): Place {
  const { line, col } = counter.linePos(range[0]);
  return { line, column: Math.max(1, col), length: Math.max(1, range[1] - range[0]) };
}

const rangeOf = (node: unknown): [number, number] | undefined =>
  isNode(node) && node.range ? [node.range[0], node.range[1]] : undefined;

/** The pairs of mappings by their keys: a file with many mistakes asks for the place of each. */
const pairsByKey = new WeakMap<YAMLMap, Map<string, Pair>>();

function pairsOf(map: YAMLMap): Map<string, Pair> {
  const known = pairsByKey.get(map);
  if (known) return known;
  const pairs = new Map<string, Pair>();
  for (const item of map.items) {
    if (!isPair(item) || !isScalar(item.key)) continue;
    const key = String(item.key.value);
    if (!pairs.has(key)) pairs.set(key, item);
  }
  pairsByKey.set(map, pairs);
  return pairs;
}

/** The pair of a key in a mapping, or in what it merges. */
function findPair(map: YAMLMap, key: string, document: Document): Pair | undefined {
  const own = pairsOf(map).get(key);
  if (own) return own;
  for (const merged of mergedInto(map, document)) {
    const pair = findPair(merged, key, document);
    if (pair) return pair;
  }
  return undefined;
}

/** Range of the node at a path, or of the innermost node around it that exists. */
function findRange(document: Document, path: Path, markKey: boolean): [number, number] | undefined {
  let node: unknown = document.contents;
  let range = rangeOf(node);
  for (const [depth, part] of path.entries()) {
    let next: unknown;
    if (isMap(node)) {
      const pair = findPair(node, String(part), document);
      if (!pair) break;
      next = pair.value;
      const key = rangeOf(pair.key);
      const isLast = depth === path.length - 1;
      range = (isLast && markKey ? key : rangeOf(next)) ?? key ?? range;
    } else if (isSeq(node)) {
      next = node.items[Number(part)];
      if (next === undefined) break;
      range = rangeOf(next) ?? range;
    } else break;
    node = resolved(next, document);
  }
  return range;
}

/** What the parser's codes mean, for people. */
function syntaxProblem(code: string, message: string): Pick<Problem, 'code' | 'message' | 'hint'> {
  switch (code) {
    case 'DUPLICATE_KEY':
      return { code: 'duplicate-key', message: 'this key appears twice', hint: 'keep one of the two' };
    case 'MULTIPLE_DOCS':
      return {
        code: 'multiple-documents',
        message: 'more than one document',
        hint: 'one file holds one experiment: remove the line ---',
      };
    case 'TAB_AS_INDENT':
      return { code: 'syntax', message: 'a tab indents this line', hint: 'YAML is indented by spaces' };
    default:
      return { code: 'syntax', message: message.replace(/\s+at line \d+[\s\S]*$/, '') };
  }
}

/** Keys that stand twice in one mapping. The parser's own check compares every key with every other. */
function duplicateKeys(document: Document, counter: LineCounter): Problem[] {
  const problems: Problem[] = [];
  visit(document, {
    Map(_key, map) {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        const range = rangeOf(key);
        if (seen.has(key.value))
          problems.push({
            ...syntaxProblem('DUPLICATE_KEY', ''),
            ...{ path: '', place: range && placeOf(range, counter) },
          });
        seen.add(key.value);
      }
    },
  });
  return problems;
}

/** Gives keys of mappings other names; one that is there under both names is a problem. */
function renameKeys(document: Document, rename: Rename, counter: LineCounter) {
  const renamed: KeyChange[] = [];
  const problems: Problem[] = [];
  let aliases = 0;
  const visitNode = (node: unknown, path: Path): void => {
    // What aliases stand for is a part of the file here too; of too many, reading them finds the mistake.
    if (isAlias(node) && ++aliases <= maxAliases) visitNode(resolved(node, document), path);
    if (isSeq(node)) for (const [i, item] of node.items.entries()) visitNode(item, [...path, i]);
    if (!isMap(node)) return;
    for (const pair of node.items) {
      const { key, value } = pair;
      if (isMergeKey(pair)) {
        for (const one of isSeq(value) ? value.items : [value]) visitNode(one, path);
        continue;
      }
      if (!isScalar(key)) continue;
      const old = String(key.value);
      const name = rename(path, old);
      if (name !== undefined) {
        const range = rangeOf(key);
        const place = range && placeOf(range, counter);
        const [from, to] = [old, name].map((one) => (one.includes('.') ? one : `${path.at(-1)}.${one}`)) as [
          string,
          string,
        ];
        if (node.has(name))
          problems.push({
            code: 'duplicate-key',
            path: from,
            place,
            message: `is the old name of ${to}, which is there too`,
            hint: 'keep one of the two',
          });
        else renamed.push({ from, to, place });
        key.value = name;
      }
      visitNode(value, [...path, name ?? old]);
    }
  };
  visitNode(document.contents, []);
  return { renamed, problems };
}

/** Parses YAML 1.2. Never throws: what is wrong is in `problems`. `rename` gives keys their present names. */
export function parseYaml(text: string, file: string, rename: Rename = () => undefined): YamlSource {
  const counter = new LineCounter();
  const deep = tooDeep(text);
  if (deep !== undefined) {
    const before = text.slice(0, deep).split('\n');
    const place = { line: before.length, column: (before.at(-1) as string).length + 1, length: 1 };
    const message = `more than ${maxDepth} levels are nested here`;
    return {
      ...{ file, text, value: undefined, renamed: [], locate: () => undefined },
      problems: [{ code: 'too-deep', path: '', place, message, hint: 'is a bracket not closed?' }],
    };
  }
  const document = parseDocument(text, {
    lineCounter: counter,
    version: '1.2',
    merge: true,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'error',
  });
  const problems: Problem[] = document.errors.map(({ code, message, pos }) => ({
    ...syntaxProblem(code, message),
    path: '',
    place: placeOf(pos, counter),
  }));
  problems.push(...duplicateKeys(document, counter));
  const wrong = wrongMerge(document);
  if (wrong) {
    const range = rangeOf(wrong.node);
    const { message, hint } = wrong;
    problems.push({ code: 'bad-merge', path: '', place: range && placeOf(range, counter), message, hint });
  }
  const changes = renameKeys(document, rename, counter);
  problems.push(...changes.problems);
  const locate = (path: Path, markKey = false) => {
    const range = findRange(document, path, markKey);
    return range && placeOf(range, counter);
  };
  // A key that appears twice does not keep the rest from being checked; anything else does.
  const readable = problems.every(({ code }) => code === 'duplicate-key');
  let value: unknown;
  if (readable) {
    try {
      value = document.toJS({ maxAliasCount: maxAliases });
    } catch (error) {
      let first: Node | undefined;
      visit(document, {
        Alias(_key, node) {
          first = node;
          return visit.BREAK;
        },
      });
      const range = rangeOf(first);
      const bomb = (error as Error).message.includes('Excessive alias count');
      problems.push({
        code: bomb ? 'alias-bomb' : 'syntax',
        path: '',
        place: range && placeOf(range, counter),
        message: bomb ? `aliases multiply to more than ${maxAliases} references` : (error as Error).message,
        hint: bomb ? 'write the values out' : undefined,
      });
    }
  }
  return { file, text, value, problems, renamed: changes.renamed, locate };
}
