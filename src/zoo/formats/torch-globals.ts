/** The globals that a state dict of PyTorch may name, each by our code in its place. Every other is refused. */

import type { NumberFormat } from '../../base/dtypes.ts';
import { sizeOf } from '../../base/shape.ts';
import { FormatError } from '../../base/source.ts';
import { Callable } from './pickle.ts';

/** A storage as a tensor names it: numbers that lie one after the other in the file. */
export interface StorageRef {
  key: string;
  /** Undefined for storages of bytes, whose tensors say their format themselves. */
  format: NumberFormat | undefined;
  /** Numbers, or bytes where the format is undefined. */
  size: number;
  /** Where it begins within the storage `key`, in numbers: only files of old PyTorch have views of storages. */
  offset: number;
}

/** A tensor: where its numbers are. */
export class TensorRef {
  constructor(
    readonly storage: StorageRef,
    readonly format: NumberFormat,
    readonly offset: number,
    readonly shape: number[],
    readonly strides: number[],
  ) {}

  get elements(): number {
    return sizeOf(this.shape);
  }
}

/** What `torch.FloatStorage` and so on stand for; `undefined` for untyped bytes. */
export class StorageType {
  constructor(readonly format: NumberFormat | undefined) {}
}

/** What `torch.float32` and so on stand for. */
class Dtype {
  constructor(readonly format: NumberFormat) {}
}

const storageTypes: Record<string, NumberFormat> = {
  DoubleStorage: 'float64',
  FloatStorage: 'float32',
  HalfStorage: 'float16',
  BFloat16Storage: 'bfloat16',
  LongStorage: 'int64',
  IntStorage: 'int32',
  ShortStorage: 'int16',
  CharStorage: 'int8',
  ByteStorage: 'uint8',
  BoolStorage: 'bool',
};

const dtypes: NumberFormat[] = [
  ...(['float64', 'float32', 'float16', 'bfloat16', 'bool'] as const),
  ...(['int64', 'int32', 'int16', 'int8', 'uint64', 'uint32', 'uint16', 'uint8'] as const),
];

function naturals(value: unknown, what: string): number[] {
  if (Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0)) return value;
  throw new FormatError(`a tensor has no valid ${what}`);
}

function rebuildTensor(
  storage: unknown,
  offset: unknown,
  shape: unknown,
  strides: unknown,
  dtype?: unknown,
): TensorRef {
  if (!isStorage(storage)) throw new FormatError('a tensor has no storage');
  const format = dtype instanceof Dtype ? dtype.format : storage.format;
  if (format === undefined) throw new FormatError('a tensor does not say what its numbers are');
  const sizes = naturals(shape, 'shape');
  const steps = naturals(strides, 'strides');
  const [start] = naturals([offset], 'offset') as [number];
  if (sizes.length !== steps.length)
    throw new FormatError(`a tensor of shape [${sizes}] has the strides [${steps}]`);
  const tensor = new TensorRef(storage, format, start, sizes, steps);
  if (!Number.isSafeInteger(tensor.elements))
    throw new FormatError(`a tensor of shape [${sizes}] is too large`);
  return tensor;
}

const isStorage = (value: unknown): value is StorageRef =>
  typeof value === 'object' && value !== null && 'key' in value && 'size' in value;

const pairs = (value: unknown): [unknown, unknown][] => {
  if (value instanceof Map) return [...value];
  if (Array.isArray(value) && value.every((pair) => Array.isArray(pair) && pair.length === 2)) return value;
  throw new FormatError('an ordered dict is made from something else than pairs');
};

/** Python calls a method of a class so; here the result is never called. */
class Inert {
  constructor(readonly name: string) {}
}

const oneCycle = new Inert('torch.optim.lr_scheduler.OneCycleLR');

const callables: Record<string, (...args: unknown[]) => unknown> = {
  'collections.OrderedDict': (items = []) => new Map(pairs(items)),
  'collections.defaultdict': (_factory, items = []) => new Map(pairs(items)),
  'torch._utils._rebuild_tensor': rebuildTensor,
  'torch._utils._rebuild_tensor_v2': (storage, offset, shape, strides) =>
    rebuildTensor(storage, offset, shape, strides),
  'torch._utils._rebuild_tensor_v3': (storage, offset, shape, strides, _grad, _hooks, dtype) =>
    rebuildTensor(storage, offset, shape, strides, dtype),
  'torch._utils._rebuild_parameter': (data) => data,
  'torch._utils._rebuild_parameter_with_state': (data) => data,
  'torch.Size': (sizes) => sizes,
  'torch.device': (...names) => names.join(':'),
  'builtins.dict': () => new Map(),
  'builtins.list': () => [],
  'builtins.set': (items = []) => new Set(items as unknown[]),
  'builtins.complex': (real, imaginary) => [real, imaginary],
  '_codecs.encode': (text) => Buffer.from(String(text), 'latin1'),
  // Schedulers of PyTorch before 2.1 hold their cosine as a bound method.
  'builtins.getattr': (object, name) => {
    if (object !== oneCycle || name !== '_annealing_cos')
      throw new FormatError(`getattr of ${String(name)} is not allowed`);
    return oneCycle;
  },
};

const values = new Map<string, unknown>([
  ...Object.entries(callables).map(([name, call]) => [name, new Callable(name, call)] as const),
  ...Object.entries(storageTypes).map(
    ([name, format]) => [`torch.${name}`, new StorageType(format)] as const,
  ),
  ['torch.storage.UntypedStorage', new StorageType(undefined)],
  ...dtypes.map((format) => [`torch.${format}`, new Dtype(format)] as const),
  [oneCycle.name, oneCycle],
]);

/** What stands for a global in a checkpoint. Throws a FormatError that names it if it is not allowed. */
export function torchGlobal(module: string, name: string): unknown {
  // Python 2's name, which protocol 2 keeps.
  const full = `${module === '__builtin__' ? 'builtins' : module}.${name}`;
  if (values.has(full)) return values.get(full);
  throw new FormatError(
    `GLOBAL ${module}.${name} is not allowed: only tensors and plain data are read from a checkpoint, and nothing is run. Save the state dict alone: torch.save(model.state_dict(), path)`,
  );
}

/** The storage that a persistent id names: ('storage', type, key, device, size, view). Throws a FormatError for any other. */
export function torchStorage(id: unknown): StorageRef {
  const [kind, type, key, , size, view] = Array.isArray(id) ? id : [];
  const valid =
    kind === 'storage' &&
    type instanceof StorageType &&
    typeof key === 'string' &&
    Number.isSafeInteger(size) &&
    size >= 0;
  if (!valid) throw new FormatError('the pickle has a persistent id that names no storage');
  const storage = { key, format: (type as StorageType).format, size: size as number, offset: 0 };
  if (view === undefined || view === null) return storage;
  const [, offset, length] = Array.isArray(view) ? view : [];
  const [start, count] = naturals([offset, length], 'view of a storage') as [number, number];
  return { ...storage, offset: start, size: count };
}
