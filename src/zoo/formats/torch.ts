/**
 * Files of torch.save: the zip archive (since PyTorch 1.6), the same unpacked into a folder, and the older sequence of pickles with the
 * storages behind them. Only the pickle is read at once; each tensor is read by its own range.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { bytesPerNumber, toFloat32 } from '../../base/dtypes.ts';
import { unpickle } from '../../base/pickle.ts';
import { sizeOf } from '../../base/shape.ts';
import { Cursor, CutShort, FormatError, Source } from '../../base/source.ts';
import { memberStart, readZipDirectory } from '../../base/zip.ts';
import { type StorageRef, type TensorRef, torchGlobal, torchStorage } from './torch-globals.ts';

/** The bytes of a storage, or of another member of a checkpoint. */
interface Stored {
  size: number;
  /** Of all its bytes; 0 where it was not computed (torch.serialization.set_crc32_options). */
  crc32: number;
  read(start: number, length: number): Promise<Uint8Array>;
}

export interface TorchFile {
  /** What was saved: plain data with tensors, Map and Inert in it. */
  root: unknown;
  /** Of the whole file or folder. */
  bytes: number;
  /** A storage's bytes. Throws if they are not there. */
  storage(ref: StorageRef): Promise<Stored>;
  close(): Promise<void>;
}

const largestPickle = 128 * 2 ** 20;

/** Opens an archive. Throws a FormatError that says what is wrong with it. */
export async function openTorchZip(source: Source): Promise<TorchFile> {
  const members = await readZipDirectory(source);
  const pickles = [...members.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  const [pickle] = pickles;
  if (pickle === undefined || pickles.length > 1) {
    throw new FormatError('the zip file is no PyTorch checkpoint: it has no data.pkl in its folder');
  }
  const folder = pickle.slice(0, -'data.pkl'.length);
  const archive = {
    has: async (name: string) => members.has(folder + name),
    async member(name: string): Promise<Stored> {
      const member = members.get(folder + name);
      if (!member) throw new FormatError(`the checkpoint has no member ${folder}${name}`);
      if (member.compressed)
        throw new FormatError(
          `zip member ${folder}${name} is compressed; torch.save stores members as they are, so this file was packed by something else: unpack it and save it again with torch.save`,
        );
      const first = await memberStart(source, member);
      const { size, crc32 } = member;
      return { size, crc32, read: (start, length) => source.read(first + start, length) };
    },
  };
  return { ...(await openArchive(archive)), bytes: source.size, close: () => source.close() };
}

/** The folder of an unpacked archive: `path` itself or the only folder in it that archives have; undefined of any other. */
export async function unpackedFolder(path: string): Promise<string | undefined> {
  for (const folder of [path, join(path, 'archive')])
    if ((await fileSize(join(folder, 'data.pkl'))) !== undefined) return folder;
  return undefined;
}

/** The bytes of a file; undefined where there is none. */
async function fileSize(path: string): Promise<number | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ? found.size : undefined;
}

/** Opens an unpacked archive. Throws a FormatError that says what is wrong with it. */
export async function openTorchFolder(folder: string): Promise<TorchFile> {
  const opened = await openArchive({
    has: async (name) => (await fileSize(join(folder, name))) !== undefined,
    async member(name) {
      const path = join(folder, name);
      const size = await fileSize(path);
      if (size === undefined) throw new FormatError(`the checkpoint has no member ${name}`);
      return { size, crc32: 0, read: (start, length) => readRange(path, start, length) };
    },
  });
  const names = await readdir(join(folder, 'data')).catch(() => []);
  const sizes = await Promise.all(names.map((name) => fileSize(join(folder, 'data', name))));
  const bytes = sizes.reduce<number>((sum, size = 0) => sum + size, 0);
  return {
    ...opened,
    bytes,
    storage: async (ref) => {
      if (/[/\\]|^\.\.?$/.test(ref.key))
        throw new FormatError(`storage ${JSON.stringify(ref.key)} is outside of the checkpoint's folder`);
      return opened.storage(ref);
    },
    close: async () => {},
  };
}

async function readRange(path: string, start: number, length: number): Promise<Uint8Array> {
  const source = await Source.open(path);
  try {
    return await source.read(start, length);
  } finally {
    await source.close();
  }
}

interface Archive {
  has(name: string): Promise<boolean>;
  /** Throws a FormatError if it is not there. */
  member(name: string): Promise<Stored>;
}

async function openArchive(archive: Archive): Promise<Pick<TorchFile, 'root' | 'storage'>> {
  if (await archive.has('constants.pkl')) {
    throw new FormatError(
      'the file is a TorchScript program; save the state dict alone: torch.save(model.state_dict(), path)',
    );
  }
  const readWhole = async (name: string, limit: number) => {
    const { size, crc32: expected, read } = await archive.member(name);
    if (size > limit) throw new FormatError(`${name} has ${size} bytes, at most ${limit} are read`);
    const bytes = await read(0, size);
    checkCrc(bytes, expected, name);
    return bytes;
  };
  if (await archive.has('byteorder')) {
    const order = Buffer.from(await readWhole('byteorder', 16)).toString('latin1');
    if (order !== 'little') throw bigEndian(order);
  }
  const host = { global: torchGlobal, persistent: torchStorage };
  const { value: root } = unpickle(await readWhole('data.pkl', largestPickle), host);
  return { root, storage: ({ key }) => archive.member(`data/${key}`) };
}

const bigEndian = (order: string) =>
  new FormatError(
    `the checkpoint has byte order ${JSON.stringify(order)}; only little-endian ones are read: load and save it on another machine`,
  );

function checkCrc(bytes: Uint8Array, expected: number, name: string): void {
  if (expected !== 0 && crc32(bytes) !== expected)
    throw new FormatError(`${name} has another checksum than the archive says: the file is damaged`);
}

/** The numbers that a file of the older format begins with, each a pickle. */
const magic = 0x1950a86a20f9469cfc6cn;
const protocol = 1001;

/** How a file of the older format begins: protocol 2, LONG1 of 10 bytes, the magic number. */
export const legacyMagic = Uint8Array.of(
  0x80,
  2,
  0x8a,
  10,
  0x6c,
  0xfc,
  0x9c,
  0x46,
  0xf9,
  0x20,
  0x6a,
  0xa8,
  0x50,
  0x19,
);

/** Opens a file of the older format. Throws a FormatError that says what is wrong with it. */
export async function openTorchLegacy(source: Source): Promise<TorchFile> {
  const storages = new Map<string, StorageRef>();
  const persistent = (id: unknown) => {
    const storage = torchStorage(id);
    // A view's size is not that of its storage, which the file says in front of its bytes.
    if (!storages.has(storage.key)) storages.set(storage.key, storage);
    return storage;
  };
  // How long the pickles are is not known before they are read.
  for (let length = 2 ** 20; ; length *= 8) {
    const bytes = await source.read(0, Math.min(length, largestPickle, source.size));
    let end = 0;
    const next = () => {
      const result = unpickle(bytes, { global: torchGlobal, persistent }, end);
      end = result.end;
      return result.value;
    };
    try {
      if (next() !== magic || next() !== protocol) throw new FormatError('the file is no PyTorch checkpoint');
      const system = next();
      if (system instanceof Map && system.get('little_endian') === false) throw bigEndian('big');
      const root = next();
      const keys = next();
      const places = await legacyStorages(source, end, keys, storages);
      return {
        root,
        bytes: source.size,
        storage: async ({ key }) => places.get(key) as Stored,
        close: () => source.close(),
      };
    } catch (error) {
      if (!(error instanceof CutShort) || bytes.length >= Math.min(largestPickle, source.size)) throw error;
    }
  }
}

/** The storages' places: behind the pickles, in the order of `keys`, each after its count of numbers. */
async function legacyStorages(
  source: Source,
  start: number,
  keys: unknown,
  storages: ReadonlyMap<string, StorageRef>,
): Promise<Map<string, Stored>> {
  const places = new Map<string, Stored>();
  let at = start;
  for (const key of Array.isArray(keys) ? keys : []) {
    const storage = storages.get(key);
    if (!storage) throw new FormatError(`the file has a storage ${String(key)} that no tensor is in`);
    const count = new Cursor(await source.read(at, 8)).u64();
    const size = count * storage.type.bytes;
    if (at + 8 + size > source.size)
      throw new FormatError(
        `storage ${String(key)} of ${size} bytes reaches beyond the end of the file: it is cut short`,
      );
    const first = at + 8;
    places.set(key, { size, crc32: 0, read: (begin, length) => source.read(first + begin, length) });
    at += 8 + size;
  }
  for (const key of storages.keys())
    if (!places.has(key)) throw new FormatError(`the file has no storage ${key}`);
  return places;
}

/** The numbers of a tensor as float32, in row-major order whatever its strides. */
export async function readTensor(file: TorchFile, tensor: TensorRef): Promise<Float32Array> {
  const { shape, strides, format, storage, elements } = tensor;
  if (elements === 0) return new Float32Array(0);
  const bytes = bytesPerNumber(format);
  const stored = await file.storage(storage);
  const first = storage.offset + tensor.offset;
  const span = 1 + shape.reduce((sum, n, axis) => sum + (n - 1) * (strides[axis] as number), 0);
  if (!((first + span) * bytes <= stored.size)) {
    throw new FormatError(
      `a tensor of shape [${shape}] and strides [${strides}] needs the numbers ${first} to ${first + span} of storage ${storage.key}, which has ${stored.size / bytes}`,
    );
  }
  const raw = await stored.read(first * bytes, span * bytes);
  if (raw.length === stored.size) checkCrc(raw, stored.crc32, `storage ${storage.key}`);
  const numbers = toFloat32(format, raw);
  return isContiguous(shape, strides) ? numbers : gather(numbers, shape, strides);
}

function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis] as number;
  }
  return true;
}

/** Numbers at the strides, in row-major order. */
function gather(numbers: Float32Array, shape: readonly number[], strides: readonly number[]): Float32Array {
  const result = new Float32Array(sizeOf(shape));
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < result.length; to++) {
    result[to] = numbers[from] as number;
    // Counts the index up as an odometer does.
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis] as number;
      if (++(index[axis] as number) < (shape[axis] as number)) break;
      from -= (strides[axis] as number) * (shape[axis] as number);
      index[axis] = 0;
    }
  }
  return result;
}
