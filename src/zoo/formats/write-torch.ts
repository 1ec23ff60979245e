/** Writes state dicts as torch.save does: a zip archive of stored members that torch.load(path, weights_only=True) opens. */

import { crc32 } from 'node:zlib';
import { writeSafely } from '../../base/files.ts';
import { sizeOf } from '../../base/shape.ts';
import { FormatError } from '../../base/source.ts';

/** A tensor of a state dict: float32, or int64 as batch norm counts its batches. */
export interface StateTensor {
  name: string;
  shape: readonly number[];
  data: Float32Array | BigInt64Array;
}

/** PyTorch maps storages to memory, and wants them to begin at multiples of this. */
const alignment = 64;
const folder = 'archive/';
const largestArchive = 2 ** 32 - 2 ** 20;

/** Writes a state dict, its tensors in the given order. */
export async function writeTorch(path: string, tensors: readonly StateTensor[]): Promise<void> {
  for (const { name, shape, data } of tensors) {
    const needed = sizeOf(shape);
    if (needed !== data.length)
      throw new RangeError(`${name} has ${data.length} numbers, its shape [${shape}] needs ${needed}`);
  }
  const total = tensors.reduce((sum, { data }) => sum + data.byteLength, 0);
  if (total > largestArchive)
    throw new FormatError(`${path}: a .pt file of ${total} bytes is more than is written; use safetensors`);
  const text = (value: string) => new TextEncoder().encode(value);
  const parts = zip([
    { name: 'data.pkl', data: pickleStateDict(tensors) },
    { name: 'byteorder', data: text('little') },
    ...tensors.map(({ data }, i) => ({
      name: `data/${i}`,
      data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    })),
    { name: 'version', data: text('3\n') },
  ]);
  await writeSafely(path, parts);
}

/** The pickle of an OrderedDict of tensors, each in a storage of its own, numbered in order. Protocol 2. */
function pickleStateDict(tensors: readonly StateTensor[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const bytes = (...values: number[]) => parts.push(Uint8Array.from(values));
  const ascii = (value: string) => parts.push(new TextEncoder().encode(value));
  const global = (module: string, name: string) => ascii(`c${module}\n${name}\n`);
  const string = (value: string) => {
    const encoded = new TextEncoder().encode(value);
    ascii('X');
    parts.push(new Uint8Array(Uint32Array.of(encoded.length).buffer), encoded);
  };
  // LONG1 of 8 bytes, the highest of them 0.
  const integer = (value: number) => {
    bytes(0x8a, 8);
    parts.push(new Uint8Array(BigInt64Array.of(BigInt(value)).buffer));
  };
  const tuple = (values: readonly number[]) => {
    ascii('(');
    for (const value of values) integer(value);
    ascii('t');
  };
  const emptyOrderedDict = () => {
    global('collections', 'OrderedDict');
    ascii(')R');
  };

  bytes(0x80, 2);
  emptyOrderedDict();
  ascii('(');
  for (const [i, { name, shape, data }] of tensors.entries()) {
    string(name);
    global('torch._utils', '_rebuild_tensor_v2');
    ascii('((');
    string('storage');
    global('torch', data instanceof Float32Array ? 'FloatStorage' : 'LongStorage');
    string(String(i));
    string('cpu');
    integer(data.length);
    ascii('tQ');
    integer(0);
    tuple(shape);
    tuple(shape.map((_, axis) => sizeOf(shape.slice(axis + 1))));
    // No gradient is wanted, and there are no hooks.
    bytes(0x89);
    emptyOrderedDict();
    ascii('tR');
  }
  ascii('u.');
  return Buffer.concat(parts);
}

/** A zip archive of members as they are, in pieces. */
function zip(members: readonly { name: string; data: Uint8Array }[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  const add = (part: Uint8Array) => {
    parts.push(part);
    at += part.length;
  };
  for (const { name, data } of members) {
    const path = Buffer.from(folder + name);
    // An extra field, which readers skip, fills up to where the data is aligned; it has 4 bytes at least.
    const free = (at + 30 + path.length + 4) % alignment;
    const padding = 4 + ((alignment - free) % alignment);
    const extra = Buffer.alloc(padding, 'Z');
    extra.write('FB', 0, 'latin1');
    extra.writeUInt16LE(padding - 4, 2);
    const common = Buffer.alloc(26);
    // Version 2.0, no flags, stored, 1 January 1980.
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x21, 8);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(path.length, 22);
    common.writeUInt16LE(padding, 24);
    const header = at;
    add(Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, path, extra]));
    add(data);
    // Comment, disk and attributes are 0; then where the local header begins.
    const entry = Buffer.alloc(14);
    entry.writeUInt32LE(header, 10);
    const central = Buffer.from(common);
    central.writeUInt16LE(0, 24);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), central, entry, path]));
  }
  const start = at;
  for (const entry of directory) add(entry);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(at - start, 12);
  end.writeUInt32LE(start, 16);
  add(end);
  return parts;
}
