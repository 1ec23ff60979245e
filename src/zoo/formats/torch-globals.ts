/**
 * The globals that a checkpoint may name, each by our code in its place. What makes tensors and plain data is known here; everything else
 * becomes an inert placeholder, and is refused only where a tensor needs it. Nothing is run. A global that no checkpoint needs, but
 * who wants to run something does, is refused by name, so that its receiver knows.
 */
import { bytesPerNumber, type NumberFormat, numberFormats } from '../../base/dtypes.ts';
import { type Budget, Callable, Inert } from '../../base/pickle.ts';
import { sizeOf } from '../../base/shape.ts';
import { FormatError } from '../../base/source.ts';

/** A storage as a tensor names it: numbers that lie one after the other in the file. */
export interface StorageRef {
  key: string;
  type: StorageType;
  /** Numbers, or bytes where its type does not say what they are. */
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

/** A tensor whose numbers are not read, and what it is: `complex64`, `quantized`. */
export class UnreadTensor {
  constructor(
    readonly shape: readonly number[],
    readonly what: string,
  ) {}
}

export type AnyTensor = TensorRef | UnreadTensor;

export const isTensor = (value: unknown): value is AnyTensor =>
  value instanceof TensorRef || value instanceof UnreadTensor;

/** What `torch.FloatStorage` and so on stand for: the format of its numbers, or its name where they are not read; untyped bytes have neither. */
export class StorageType {
  constructor(
    readonly format: NumberFormat | undefined,
    /** Of one number; 1 of untyped bytes. */
    readonly bytes: number,
    readonly unread?: string,
  ) {}
}

/** What `torch.float32` and so on stand for, likewise. */
class Dtype {
  constructor(
    readonly name: string,
    readonly format: NumberFormat | undefined,
  ) {}
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

/** Storages and formats whose numbers are not read, with their bytes. */
const unreadStorages: Record<string, [what: string, bytes: number]> = {
  ComplexFloatStorage: ['complex64', 8],
  ComplexDoubleStorage: ['complex128', 16],
  QInt8Storage: ['quantized', 1],
  QUInt8Storage: ['quantized', 1],
  QInt32Storage: ['quantized', 4],
};
const unreadDtypes = ['complex32', 'complex64', 'complex128', 'qint8', 'quint8', 'qint32', 'float8_e8m0fnu'];

const isNaturals = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);

function naturals(value: unknown, what: string): number[] {
  if (isNaturals(value)) return value;
  throw new FormatError(`a tensor has no valid ${what}`);
}

function rebuildTensor(
  storage: unknown,
  offset: unknown,
  shape: unknown,
  strides: unknown,
  dtype?: unknown,
): AnyTensor {
  if (!isStorage(storage)) {
    const needs = storage instanceof Inert ? `: it needs ${storage.name}, which is not read` : '';
    throw new FormatError(`a tensor has no storage${needs}`);
  }
  const sizes = naturals(shape, 'shape');
  const unread = storage.type.unread ?? (dtype instanceof Dtype && !dtype.format ? dtype.name : undefined);
  if (unread !== undefined) return new UnreadTensor(sizes, unread);
  const format = dtype instanceof Dtype ? dtype.format : storage.type.format;
  if (format === undefined) throw new FormatError('a tensor does not say what its numbers are');
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
  typeof value === 'object' && value !== null && 'type' in value && value.type instanceof StorageType;

type Rebuild = (args: readonly unknown[]) => AnyTensor;

/** A tensor that is only named; its shape is among the arguments where that is known. */
const unreadAs =
  (what: string, shapeAt = -1): Rebuild =>
  (args) =>
    new UnreadTensor(isNaturals(args[shapeAt]) ? (args[shapeAt] as number[]) : [], what);

const rebuilds: Record<string, Rebuild> = {
  _rebuild_tensor: ([storage, offset, shape, strides]) => rebuildTensor(storage, offset, shape, strides),
  _rebuild_tensor_v2: ([storage, offset, shape, strides]) => rebuildTensor(storage, offset, shape, strides),
  _rebuild_tensor_v3: ([storage, offset, shape, strides, _grad, _hooks, dtype]) =>
    rebuildTensor(storage, offset, shape, strides, dtype),
  _rebuild_qtensor: unreadAs('quantized', 2),
  _rebuild_sparse_tensor: unreadAs('sparse'),
  _rebuild_meta_tensor_no_storage: unreadAs('on the meta device, without numbers', 1),
  _rebuild_nested_tensor: unreadAs('nested'),
  _rebuild_wrapper_subclass: unreadAs('of a class of its own', 2),
  _rebuild_device_tensor_from_numpy: unreadAs('from NumPy'),
};
const rebuildTorch = new Set(Object.values(rebuilds));

/** A dict from pairs, or from another dict. */
function dictOf(items: unknown, budget: Budget): Map<unknown, unknown> {
  const pairs = items instanceof Map ? items : Array.isArray(items) ? items : [];
  budget.spendItems(pairs instanceof Map ? pairs.size : pairs.length);
  if (Array.isArray(pairs) && !pairs.every((pair) => Array.isArray(pair) && pair.length === 2))
    throw new FormatError('an ordered dict is made from something else than pairs');
  return new Map(pairs as Iterable<[unknown, unknown]>);
}

/** `numpy.dtype('f8')`. */
class NumpyDtype extends Inert {
  constructor(readonly code: unknown) {
    super('numpy.dtype');
  }
}

/** A NumPy scalar, as training scripts keep accuracies: a number where its kind is known. */
function numpyScalar([dtype, data]: readonly unknown[]): unknown {
  const code = dtype instanceof NumpyDtype ? dtype.code : undefined;
  if (!(data instanceof Uint8Array)) return new Inert('numpy scalar');
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const whole = (value: bigint) => (Number.isSafeInteger(Number(value)) ? Number(value) : value);
  if (code === 'f8' && data.length === 8) return view.getFloat64(0, true);
  if (code === 'f4' && data.length === 4) return view.getFloat32(0, true);
  if (code === 'i8' && data.length === 8) return whole(view.getBigInt64(0, true));
  if (code === 'i4' && data.length === 4) return view.getInt32(0, true);
  return new Inert('numpy scalar');
}

const callables: Record<string, Callable['call']> = {
  'collections.OrderedDict': ([items = []], budget) => dictOf(items, budget),
  'collections.defaultdict': ([, items = []], budget) => dictOf(items, budget),
  'builtins.dict': ([items = []], budget) => dictOf(items, budget),
  'builtins.set': ([items = []], budget) => {
    const values = Array.isArray(items) ? items : [];
    budget.spendItems(values.length);
    return new Set(values);
  },
  'builtins.list': (_, budget) => {
    budget.spendItems(0);
    return [];
  },
  'torch._utils._rebuild_parameter': ([data]) => data,
  'torch._utils._rebuild_parameter_with_state': ([data]) => data,
  // A tensor of a class of its own: the function that makes the plain one, and its arguments.
  'torch._tensor._rebuild_from_type_v2': ([rebuild, type, args], budget) => {
    if (rebuild instanceof Callable && Array.isArray(args) && isRebuild(rebuild))
      return rebuild.call(args, budget);
    return new Inert(type instanceof Inert ? type.name : 'torch.Tensor');
  },
  'torch.Size': ([sizes]) => sizes,
  // Bytes in protocol 2, which has none: as text of the same codes.
  '_codecs.encode': ([text], budget) => {
    if (typeof text !== 'string') return new Inert('_codecs.encode');
    budget.spend(text.length);
    return new Uint8Array(Buffer.from(text, 'latin1'));
  },
  'numpy.dtype': ([code]) => new NumpyDtype(code),
  'numpy.core.multiarray.scalar': numpyScalar,
  'numpy._core.multiarray.scalar': numpyScalar,
  ...Object.fromEntries(Object.entries(rebuilds).map(([name, call]) => [`torch._utils.${name}`, call])),
};

const isRebuild = ({ call }: Callable) => rebuildTorch.has(call as Rebuild);

const values = new Map<string, unknown>([
  ...Object.entries(callables).map(([name, call]) => [name, new Callable(name, call)] as const),
  ...Object.entries(storageTypes).map(
    ([name, format]) => [`torch.${name}`, new StorageType(format, bytesPerNumber(format))] as const,
  ),
  ...Object.entries(unreadStorages).map(
    ([name, [what, bytes]]) => [`torch.${name}`, new StorageType(undefined, bytes, what)] as const,
  ),
  ['torch.storage.UntypedStorage', new StorageType(undefined, 1)],
  ...numberFormats.map((format) => [`torch.${format}`, new Dtype(format, format)] as const),
  ...unreadDtypes.map((name) => [`torch.${name}`, new Dtype(name, undefined)] as const),
]);

/** Modules of Python, and built-in functions, that who wants to run something needs, and no checkpoint does. */
const hostileModules = new Set(
  'os posix nt sys subprocess socket shutil runpy importlib pty ctypes _ctypes codeop pdb bdb timeit cProfile webbrowser pickle _pickle marshal'.split(
    ' ',
  ),
);
const hostileBuiltins = new Set(
  'eval exec execfile compile open file input raw_input __import__ breakpoint exit quit help globals locals vars delattr setattr apply reload'.split(
    ' ',
  ),
);

function isHostile(module: string, name: string): boolean {
  if (module === 'builtins') return hostileBuiltins.has(name.split('.')[0] as string);
  const [top = ''] = module.split('.');
  return hostileModules.has(top) || /(^|\.)(_load_from_bytes|import_dotted_name)$/.test(name);
}

/** What stands for a global in a checkpoint. Throws a FormatError that names it if only an attack needs it. */
export function torchGlobal(module: string, name: string): unknown {
  // Python 2's name, which protocol 2 keeps.
  const place = module === '__builtin__' ? 'builtins' : module;
  const full = `${place}.${name}`;
  if (values.has(full)) return values.get(full);
  if (isHostile(place, name)) {
    throw new FormatError(
      `GLOBAL ${module}.${name} is not allowed: no checkpoint needs it, and whoever loads this file with pickle runs it. Nothing was run here; get the weights from a source that you trust`,
    );
  }
  return new Inert(full);
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
  const storage = { key, type: type as StorageType, size: size as number, offset: 0 };
  if (view === undefined || view === null) return storage;
  const [, offset, length] = Array.isArray(view) ? view : [];
  const [start, count] = naturals([offset, length], 'view of a storage') as [number, number];
  return { ...storage, offset: start, size: count };
}
