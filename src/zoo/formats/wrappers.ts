/** Names of tensors without what wrappers of modules put into them. */
import { isLayerTensor } from '../../nets/state-names.ts';

/** torch.compile, FSDP and activation checkpointing wrap modules anywhere in a network. */
const inner = /(^|\.)(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)(?=\.)/g;

/** DataParallel, DistributedDataParallel and AveragedModel wrap the whole. */
const outer = ['module.'];

/** What training frameworks and scripts call the network within their own module. */
const attributes = ['model.', 'net.', 'network.', ...outer];

/** Names without wrappers -> names in the file. */
export const withoutWrappers = (names: readonly string[]): Map<string, string> =>
  withoutPrefix(distinct(names, unwrapped), outer, () => true);

const unwrapped = (name: string) => name.replace(inner, '').replace(/^\./, '');

/** Names without the attributes of a training script either, where all of a network's layers are in one -> the names given. */
export function withoutAttributes(shapes: ReadonlyMap<string, readonly number[]>): Map<string, string> {
  const isLayer = (name: string) => isLayerTensor(name, shapes.get(name) ?? []);
  return withoutPrefix(new Map([...shapes.keys()].map((name) => [name, name])), attributes, isLayer);
}

/** The names changed, if they are still as many; else as they are. */
function distinct(names: readonly string[], change: (name: string) => string): Map<string, string> {
  const changed = new Map(names.map((name) => [change(name), name]));
  return changed.size === names.length ? changed : new Map(names.map((name) => [name, name]));
}

/**
 * Takes prefixes away, one after the other, that all names have which count. Names that do not count, as AveragedModel's `n_averaged`, lose
 * it if they have it.
 */
function withoutPrefix(
  names: Map<string, string>,
  prefixes: readonly string[],
  counts: (given: string) => boolean,
): Map<string, string> {
  const counting = [...names].filter(([, given]) => counts(given)).map(([name]) => name);
  const prefix = prefixes.find(
    (one) => counting.length > 0 && counting.every((name) => name.startsWith(one)),
  );
  if (prefix === undefined) return names;
  const shorter = new Map(
    Array.from(names, ([name, given]) => [name.startsWith(prefix) ? name.slice(prefix.length) : name, given]),
  );
  return shorter.size === names.size ? withoutPrefix(shorter, prefixes, counts) : names;
}
