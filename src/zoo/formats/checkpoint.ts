/**
 * The tensors of a network's state dict, in a file of any format that is read, known by what it holds and not by its name: torch.save's
 * (.pt, .pth, .bin, .ckpt, .pth.tar, …), the folder of an unpacked one, safetensors, and several of these with an index (shards).
 */
import { stat } from 'node:fs/promises';
import { bytesPerNumber, isWhole } from '../../base/dtypes.ts';
import { openSafetensors } from '../../base/safetensors.ts';
import { FormatError, Source } from '../../base/source.ts';
import { readZipDirectory } from '../../base/zip.ts';
import type { StateDict } from '../../nets/architecture.ts';
import { openShards, shardIndex } from './shards.ts';
import { findStateDict, scalarsOf } from './state-dict.ts';
import {
  legacyMagic,
  openTorchFolder,
  openTorchLegacy,
  openTorchZip,
  readTensor,
  type TorchFile,
  unpackedFolder,
} from './torch.ts';
import { type AnyTensor, TensorRef, UnreadTensor } from './torch-globals.ts';
import { withoutWrappers } from './wrappers.ts';

/** What a tensor's numbers are: `unread` ones are known by shape only, and `what` says why. */
export type TensorKind = { kind: 'float' | 'whole' } | { kind: 'unread'; what: string };

/** Something in a file that is not used, and why. */
export interface Unused {
  name: string;
  reason: string;
}

/** An open checkpoint: names and shapes are in memory, tensors are read when asked for. Close it when done. */
export interface Checkpoint {
  readonly path: string;
  /**
   * Shapes by name in the file's order, which is PyTorch's registration order in a state dict that torch.save wrote. Names are without what
   * DataParallel and torch.compile put in front.
   */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Whether that order means something: not in safetensors files, whose writers sort. */
  readonly ordered: boolean;
  /** What stands beside the state dict and is not part of the network. */
  readonly beside: readonly Unused[];
  kindOf(name: string): TensorKind;
  /** The numbers of one tensor in row-major order. Throws a FormatError that names file and tensor. */
  read(name: string): Promise<Float32Array>;
  /** Numbers that stand beside the state dict, such as `epoch` and `best_acc1`. */
  scalars(): Promise<Map<string, number>>;
  close(): Promise<void>;
}

/**
 * Opens a checkpoint; `key` is the path of the state dict in it where there are several. Throws a FormatError naming the file, what is wrong
 * and the remedy.
 */
export async function openCheckpoint(path: string, key?: string): Promise<Checkpoint> {
  try {
    const index = await shardIndex(path);
    if (index) return await openShards(path, index, (shard) => openFile(shard, key));
    if (!(await isFolder(path))) return await openFile(path, key);
    return await openFolder(path, key);
  } catch (error) {
    throw named(path, error);
  }
}

async function openFolder(path: string, key: string | undefined): Promise<Checkpoint> {
  const folder = await unpackedFolder(path);
  if (folder === undefined)
    throw new FormatError(
      'a folder, and neither an unpacked file of torch.save (data.pkl and data) nor shards with an index',
    );
  return torchCheckpoint(path, await openTorchFolder(folder), key);
}

async function openFile(path: string, key: string | undefined): Promise<Checkpoint> {
  const source = await Source.open(path);
  try {
    const kind = kindOf(await source.read(0, Math.min(source.size, headBytes)));
    if (kind === 'safetensors') {
      await source.close();
      return await safetensorsCheckpoint(path, key);
    }
    return torchCheckpoint(
      path,
      await (kind === 'zip' ? openTorchZip(source) : openTorchLegacy(source)),
      key,
    );
  } catch (error) {
    await source.close();
    throw named(path, error);
  }
}

/** All tensors of a checkpoint that can be read. */
export async function readCheckpoint(
  path: string,
  key?: string,
): Promise<{ shapes: Checkpoint['shapes']; weights: StateDict }> {
  const checkpoint = await openCheckpoint(path, key);
  try {
    const weights: StateDict = new Map();
    for (const name of checkpoint.shapes.keys())
      if (checkpoint.kindOf(name).kind !== 'unread') weights.set(name, await checkpoint.read(name));
    return { shapes: checkpoint.shapes, weights };
  } finally {
    await checkpoint.close();
  }
}

/** Whether something that is there looks like a checkpoint, by its first bytes; nothing is read whole. */
export async function looksLikeCheckpoint(path: string): Promise<boolean> {
  const source = await Source.open(path).catch(() => undefined);
  if (!source) return false;
  try {
    const kind = kindOf(await source.read(0, Math.min(source.size, headBytes)));
    if (kind !== 'zip') return true;
    return [...(await readZipDirectory(source)).keys()].some((name) => /^[^/]+\/data\.pkl$/.test(name));
  } catch {
    return false;
  } finally {
    await source.close();
  }
}

const isFolder = async (path: string) => (await stat(path).catch(() => undefined))?.isDirectory() ?? false;

/** The error with the file's name in front. What this module did not foresee is a damaged file too. */
function named(path: string, error: unknown): FormatError {
  const { message } = error as Error;
  return new FormatError(message.startsWith(path) ? message : `${path}: ${message}`);
}

const headBytes = 265;

function kindOf(head: Uint8Array): 'zip' | 'legacy' | 'safetensors' {
  const text = Buffer.from(head).toString('latin1');
  if (text.startsWith('PK\x03\x04')) return 'zip';
  if (legacyMagic.every((byte, i) => head[i] === byte)) return 'legacy';
  if (text[8] === '{') return 'safetensors';
  if (head.length === 0) throw new FormatError('the file is empty');
  if (text.startsWith('version https://git-lfs')) {
    throw new FormatError('this is a pointer of Git LFS, not the file itself: run `git lfs pull`');
  }
  if (text.startsWith('PK')) throw new FormatError('the zip file is damaged or has no members');
  if (text.slice(257, 262) === 'ustar')
    throw new FormatError(
      'this is a tar file, as PyTorch before 0.2 wrote: load and save it with a newer one',
    );
  if (head[0] === 0x1f && head[1] === 0x8b) throw new FormatError('this is packed by gzip: unpack it first');
  if (head[0] === 0x80)
    throw new FormatError('this is a plain pickle; only files of torch.save and safetensors are read');
  throw new FormatError('this is neither a file of torch.save nor safetensors');
}

async function safetensorsCheckpoint(path: string, key: string | undefined): Promise<Checkpoint> {
  if (key !== undefined)
    throw new FormatError('a safetensors file has one state dict and no keys: leave --key out');
  const file = await openSafetensors(path);
  const names = withoutWrappers(file.names);
  const info = (name: string) => file.info(lookUp(names, name, path));
  return {
    path,
    shapes: new Map(Array.from(names, ([name, stored]) => [name, file.info(stored).shape])),
    ordered: false,
    beside: [],
    kindOf(name) {
      const { format, dtype } = info(name);
      if (format === undefined) return { kind: 'unread', what: dtype };
      return { kind: isWhole(format) ? 'whole' : 'float' };
    },
    read: (name) => file.readAsFloats(lookUp(names, name, path)),
    scalars: async () =>
      new Map(
        Object.entries(file.metadata).flatMap(([name, text]): [string, number][] =>
          text.trim() !== '' && Number.isFinite(Number(text)) ? [[name, Number(text)]] : [],
        ),
      ),
    close: () => file.close(),
  };
}

function torchCheckpoint(path: string, file: TorchFile, key: string | undefined): Checkpoint {
  const { tensors, beside } = findStateDict(file.root, key);
  const scalars = scalarsOf(file.root);
  checkTotal([...tensors.values(), ...scalars.values()], file.bytes);
  const names = withoutWrappers([...tensors.keys()]);
  const tensorOf = (name: string) => tensors.get(lookUp(names, name, path)) as AnyTensor;
  const read = (name: string, tensor: AnyTensor) => {
    if (tensor instanceof UnreadTensor)
      throw new FormatError(`${path}: ${name}: the tensor is ${tensor.what}, which is not read`);
    return readTensor(file, tensor).catch((error: Error) => {
      throw new FormatError(`${path}: ${name}: ${error.message}`);
    });
  };
  return {
    path,
    shapes: new Map(Array.from(names, ([name, stored]) => [name, (tensors.get(stored) as AnyTensor).shape])),
    ordered: true,
    beside,
    kindOf(name) {
      const tensor = tensorOf(name);
      if (tensor instanceof UnreadTensor) return { kind: 'unread', what: tensor.what };
      return { kind: isWhole(tensor.format) ? 'whole' : 'float' };
    },
    read: async (name) => read(name, tensorOf(name)),
    async scalars() {
      const values = new Map<string, number>();
      for (const [name, value] of scalars)
        values.set(name, typeof value === 'number' ? value : ((await read(name, value))[0] as number));
      return values;
    },
    close: () => file.close(),
  };
}

function lookUp(names: ReadonlyMap<string, string>, name: string, path: string): string {
  const stored = names.get(name);
  if (stored === undefined) throw new FormatError(`${path}: no tensor ${name}`);
  return stored;
}

/** Storages may be shared, and a stride may be 0: a small file could ask for much. Tied weights are a few times the file at most. */
function checkTotal(tensors: readonly unknown[], fileBytes: number): void {
  let total = 0;
  for (const tensor of tensors)
    if (tensor instanceof TensorRef) total += tensor.elements * bytesPerNumber(tensor.format);
  const limit = 4 * fileBytes + 2 ** 20;
  if (total > limit)
    throw new FormatError(
      `its tensors would need ${total} bytes, more than a file of ${fileBytes} bytes can mean`,
    );
}
