/** A network's weights in a file of any format that is read: .pt, .pth and .bin of torch.save, and .safetensors. */
import { bytesPerNumber } from '../../base/dtypes.ts';
import { openSafetensors } from '../../base/safetensors.ts';
import { FormatError, Source } from '../../base/source.ts';
import type { StateDict } from '../../nets/architecture.ts';
import { findStateDict } from './state-dict.ts';
import { legacyMagic, openTorchLegacy, openTorchZip, readTensor } from './torch.ts';
import type { TensorRef } from './torch-globals.ts';

/** An open checkpoint: names and shapes are in memory, tensors are read when asked for. Close it when done. */
export interface Checkpoint {
  readonly path: string;
  /** Shapes by name in the file's order, which is PyTorch's registration order in a state dict that torch.save wrote. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Whether that order means something: not in safetensors files, whose writers sort. */
  readonly ordered: boolean;
  /** The numbers of one tensor in row-major order. Throws a FormatError that names file and tensor. */
  read(name: string): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Opens a checkpoint by what it holds, not by its name. Throws a FormatError naming the file, what is wrong and the remedy. */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  const source = await Source.open(path);
  try {
    const head = await source.read(0, Math.min(source.size, 265));
    const kind = kindOf(head);
    if (kind === 'safetensors') {
      await source.close();
      return await safetensorsCheckpoint(path);
    }
    return await torchCheckpoint(source, kind);
  } catch (error) {
    await source.close();
    throw named(path, error);
  }
}

/** All tensors of a checkpoint. */
export async function readCheckpoint(
  path: string,
): Promise<{ shapes: Checkpoint['shapes']; weights: StateDict }> {
  const checkpoint = await openCheckpoint(path);
  try {
    const weights: StateDict = new Map();
    for (const name of checkpoint.shapes.keys()) weights.set(name, await checkpoint.read(name));
    return { shapes: checkpoint.shapes, weights };
  } finally {
    await checkpoint.close();
  }
}

/** The error with the file's name in front. What this module did not foresee is a damaged file too. */
function named(path: string, error: unknown): FormatError {
  const { message } = error as Error;
  return new FormatError(message.startsWith(path) ? message : `${path}: ${message}`);
}

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
  if (head[0] === 0x80)
    throw new FormatError('this is a plain pickle; only files of torch.save and safetensors are read');
  throw new FormatError('this is neither a file of torch.save nor safetensors');
}

async function safetensorsCheckpoint(path: string): Promise<Checkpoint> {
  const file = await openSafetensors(path);
  const names = withoutPrefix(file.names);
  return {
    path,
    shapes: new Map(Array.from(names, ([name, stored]) => [name, file.info(stored).shape])),
    ordered: false,
    read: (name) => file.readAsFloats(lookUp(names, name, path)),
    close: () => file.close(),
  };
}

async function torchCheckpoint(source: Source, kind: 'zip' | 'legacy'): Promise<Checkpoint> {
  const { path } = source;
  const file = await (kind === 'zip' ? openTorchZip(source) : openTorchLegacy(source));
  const state = findStateDict(file.root);
  checkTotal(state, source.size);
  const names = withoutPrefix([...state.keys()]);
  return {
    path,
    shapes: new Map(Array.from(names, ([name, stored]) => [name, (state.get(stored) as TensorRef).shape])),
    ordered: true,
    read: async (name) => {
      const tensor = state.get(lookUp(names, name, path)) as TensorRef;
      return readTensor(source, file, tensor).catch((error: Error) => {
        throw new FormatError(`${path}: ${name}: ${error.message}`);
      });
    },
    close: () => source.close(),
  };
}

function lookUp(names: ReadonlyMap<string, string>, name: string, path: string): string {
  const stored = names.get(name);
  if (stored === undefined) throw new FormatError(`${path}: no tensor ${name}`);
  return stored;
}

/** Storages may be shared, and a stride may be 0: a small file could ask for much. Tied weights are a few times the file at most. */
function checkTotal(state: ReadonlyMap<string, TensorRef>, fileBytes: number): void {
  let total = 0;
  for (const tensor of state.values()) total += tensor.elements * bytesPerNumber(tensor.format);
  const limit = 4 * fileBytes + 2 ** 20;
  if (total > limit)
    throw new FormatError(
      `its tensors would need ${total} bytes, more than a file of ${fileBytes} bytes can mean`,
    );
}

/** Names without what torch.compile and DataParallel put in front of all of them -> names in the file. */
function withoutPrefix(names: readonly string[]): Map<string, string> {
  let prefix = '';
  for (;;) {
    const more = ['_orig_mod.', 'module.'].find(
      (one) => names.length > 0 && names.every((name) => name.startsWith(prefix + one)),
    );
    if (more === undefined) return new Map(names.map((name) => [name.slice(prefix.length), name]));
    prefix += more;
  }
}
