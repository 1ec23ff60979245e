/** Where in a checkpoint the network's state dict is, and what else stands beside it. */
import { Inert } from '../../base/pickle.ts';
import { FormatError } from '../../base/source.ts';
import { isLayerTensor } from '../../nets/state-names.ts';
import { type AnyTensor, isTensor, TensorRef } from './torch-globals.ts';

/** A state dict by its path in the checkpoint: '' is the saved dict itself, `model.state_dict` one in another. */
interface Candidate {
  path: string;
  tensors: Map<string, AnyTensor>;
  /** Tensors that have a layer's names, as an optimizer's have not. */
  layers: number;
}

export interface ChosenState {
  tensors: Map<string, AnyTensor>;
  /** Tensors, and other state dicts, that were not chosen. */
  beside: { name: string; reason: string }[];
}

/** Names under which training scripts keep the model's state dict, the likelier first; averaged weights are taken where there are no others. */
const usual = [
  ...['state_dict', 'model', 'model_state_dict', 'net', 'network', 'module', 'weights', 'params'],
  ...['checkpoint', 'ema', 'ema_state_dict', 'ema_model', 'model_ema', 'state_dict_ema', 'averaged_model'],
];

/** Dicts within dicts that are looked through. */
const deepest = 3;

/**
 * The state dict under `key`, or else the one that is a network's: the largest at the top, or under a usual name, or the only one. Throws a
 * FormatError that lists what there is.
 */
export function findStateDict(root: unknown, key?: string): ChosenState {
  if (!dictOf(root)) throw new FormatError('the checkpoint holds no state dict: save model.state_dict()');
  const all = [...candidates(root, '', 0, new Set())];
  if (all.length === 0) throw new FormatError('the checkpoint holds no tensors');
  const chosen = key === undefined ? choose(all) : byKey(all, key);
  const top = chosen.path === '' ? [] : [...(all.find(({ path }) => path === '')?.tensors.keys() ?? [])];
  return {
    tensors: chosen.tensors,
    beside: [
      ...top.map((name) => ({ name, reason: 'a tensor beside the state dict' })),
      ...all
        .filter((one) => one !== chosen && one.path !== '' && one.layers > 0)
        .map(({ path }) => ({ name: path, reason: 'another state dict (choose it with --key)' })),
    ],
  };
}

function choose(all: readonly Candidate[]): Candidate {
  const networks = all.filter(({ layers }) => layers > 0);
  // Tensors of any name, where none has a layer's.
  const fitting = networks.length > 0 ? networks : all;
  const nested = fitting.filter(({ path }) => path !== '');
  const top = fitting.find(({ path }) => path === '');
  const size = ({ tensors }: Candidate) =>
    [...tensors.values()].filter(({ shape }) => shape.length > 0).length;
  if (top && nested.every((one) => size(one) < size(top))) return top;
  const [likeliest] = nested
    .flatMap((one) => {
      const ranks = one.path.split('.').map((name) => usual.indexOf(name));
      return ranks.includes(-1) ? [] : [{ one, ranks }];
    })
    .sort((a, b) => compare(a.ranks, b.ranks));
  if (likeliest) return likeliest.one;
  if (nested.length === 1) return nested[0] as Candidate;
  throw new FormatError(
    `which of these is the state dict is not clear: ${listed(fitting)}; choose one with --key, e.g. --key ${nested[0]?.path}`,
  );
}

const compare = (a: readonly number[], b: readonly number[]) => {
  const at = a.findIndex((rank, i) => rank !== b[i]);
  return at < 0 ? a.length - b.length : (a[at] as number) - (b[at] ?? -1);
};

function byKey(all: readonly Candidate[], key: string): Candidate {
  const found = all.find(({ path }) => path === key);
  if (found) return found;
  throw new FormatError(`the checkpoint has no state dict under the key ${key}; it has ${listed(all)}`);
}

const listed = (all: readonly Candidate[]) => {
  const shown = all.filter(({ path }) => path !== '').slice(0, 10);
  return shown.length === 0 ? 'one at its top only' : shown.map(({ path }) => path).join(', ');
};

function* candidates(value: unknown, path: string, depth: number, seen: Set<unknown>): Generator<Candidate> {
  if (seen.has(value)) return;
  const dict = dictOf(value);
  if (!dict) return;
  seen.add(value);
  const tensors = new Map<string, AnyTensor>();
  for (const [name, one] of dict) if (typeof name === 'string' && isTensor(one)) tensors.set(name, one);
  if (tensors.size > 0) {
    const layers = [...tensors].filter(([name, { shape }]) => isLayerTensor(name, shape)).length;
    yield { path, tensors, layers };
  }
  if (depth === deepest) return;
  for (const [name, one] of dict)
    if (typeof name === 'string') yield* candidates(one, path ? `${path}.${name}` : name, depth + 1, seen);
}

/** The items of a dict, of an object that is filled as one, or the state dict of a whole module. */
function dictOf(value: unknown): Map<unknown, unknown> | undefined {
  if (value instanceof Map) return value;
  if (!(value instanceof Inert)) return undefined;
  return value.entries ?? moduleState(value);
}

/** More modules than the largest networks have; those that are in several places count there. */
const mostModules = 100_000;
/** Modules within modules, at most. */
const deepestModule = 100;

/** The state dict of a module that was pickled as a whole (torch.save(model)), in PyTorch's order; undefined of other objects. */
function moduleState(module: Inert): Map<string, AnyTensor> | undefined {
  const tensors = new Map<string, AnyTensor>();
  let visited = 0;
  const visit = (value: unknown, prefix: string, depth: number): boolean => {
    const state = value instanceof Inert ? value.state : undefined;
    if (!(state instanceof Map) || !(state.get('_modules') instanceof Map)) return false;
    if (depth > deepestModule || ++visited > mostModules)
      throw new FormatError('the checkpoint holds a module within itself');
    const transient = state.get('_non_persistent_buffers_set');
    for (const kind of ['_parameters', '_buffers']) {
      for (const [name, tensor] of asMap(state.get(kind))) {
        const kept = !(kind === '_buffers' && transient instanceof Set && transient.has(name));
        if (isTensor(tensor) && kept) tensors.set(`${prefix}${String(name)}`, tensor);
      }
    }
    for (const [name, one] of asMap(state.get('_modules')))
      visit(one, `${prefix}${String(name)}.`, depth + 1);
    return true;
  };
  return visit(module, '', 0) ? tensors : undefined;
}

const asMap = (value: unknown): Map<unknown, unknown> => (value instanceof Map ? value : new Map());

/**
 * What stands beside the state dicts as a number or a tensor of one, such as `epoch` and `best_acc1`, by its name; of a dict of such, as
 * `metrics.test_acc`.
 */
export function scalarsOf(root: unknown): Map<string, number | TensorRef> {
  const scalars = new Map<string, number | TensorRef>();
  const isLayer = ([name, value]: [unknown, unknown]) =>
    typeof name === 'string' && isTensor(value) && isLayerTensor(name, value.shape);
  const collect = (dict: Map<unknown, unknown>, prefix: string) => {
    const isState = [...dict].some(isLayer);
    for (const [name, value] of dict) {
      if (typeof name !== 'string') continue;
      const isOne = !isState && value instanceof TensorRef && value.elements === 1;
      if (isOne || (typeof value === 'number' && Number.isFinite(value))) scalars.set(prefix + name, value);
      else if (prefix === '' && value instanceof Map) collect(value, `${name}.`);
    }
  };
  collect(dictOf(root) ?? new Map(), '');
  return scalars;
}
