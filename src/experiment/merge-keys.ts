/** YAML's merge keys (`<<: *common`, https://yaml.org/type/merge.html): what they merge, and what is wrong with it. */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type YAMLMap,
} from 'yaml';

/** Whether a pair is a merge key and what it merges; the parser marks the key by a symbol. */
export const isMergeKey = ({ key }: Pair): boolean =>
  isScalar(key) && typeof key.value === 'symbol' && key.value.description === '<<';

/** The node itself, or the one that an alias stands for; undefined where there is none. */
export const resolved = (node: unknown, document: Document): unknown =>
  isAlias(node) ? node.resolve(document) : node;

/** The values that a pair merges, in the order in which they win. */
const valuesOf = ({ value }: Pair, document: Document): unknown[] => {
  const target = resolved(value, document);
  return (isSeq(target) ? target.items : [target]).map((one) => resolved(one, document));
};

/** The mappings that a mapping merges. */
export const mergedInto = (map: YAMLMap, document: Document): YAMLMap[] =>
  map.items.filter(isMergeKey).flatMap((pair) => valuesOf(pair, document).filter(isMap));

/** More nodes than all merges of an experiment copy; beyond it the file is taken for a bomb. */
const mostMerged = 10_000;

/** The first merge key that merges no mapping, itself, or too much. */
export function wrongMerge(document: Document): { node: Node; message: string; hint: string } | undefined {
  const sizes = new Map<unknown, number>();
  let wrong: { node: Node; message: string; hint: string } | undefined;
  /** How many nodes it has with all that it merges. */
  const sizeOf = (node: unknown): number => {
    const known = sizes.get(node);
    if (known !== undefined) return known;
    // Until it is known: what holds itself is endless.
    sizes.set(node, Number.POSITIVE_INFINITY);
    let size = 1;
    if (isSeq(node)) for (const item of node.items) size += sizeOf(item);
    if (isMap(node)) {
      for (const pair of node.items) {
        if (!isMergeKey(pair)) size += sizeOf(pair.value);
        else for (const value of valuesOf(pair, document)) size += sizeOfMerged(pair, value);
      }
    }
    sizes.set(node, size);
    return size;
  };
  const sizeOfMerged = ({ key, value }: Pair, merged: unknown): number => {
    const node = (isNode(value) ? value : key) as Node;
    if (!isMap(merged)) {
      wrong ??= {
        node,
        message: '<< merges mappings only',
        hint: 'write `<<: *name`, or `<<: [*one, *other]`, where `&name` stands before a mapping',
      };
      return 0;
    }
    const size = sizeOf(merged);
    if (size <= mostMerged) return size;
    wrong ??= {
      node,
      message: `merges multiply to more than ${mostMerged} values, or to themselves`,
      hint: 'write the values out',
    };
    return 0;
  };
  sizeOf(document.contents);
  return wrong;
}
