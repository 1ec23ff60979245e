/**
 * Variables of a MATLAB level 5 file: a header of 128 bytes, then elements of a tag (type, length) and data padded to 8 bytes. An element may
 * be another one packed by zlib, or a matrix, whose parts are elements. Arrays of numbers are read, kept column by column.
 */

import { inflateSync } from 'node:zlib';
import { sizeOf } from '../../base/shape.ts';
import { Cursor, CutShort } from '../../base/source.ts';
import { damaged } from '../damaged.ts';

export interface MatlabArray {
  shape: number[];
  /** The first axis counts fastest. */
  data: ArrayLike<number>;
}

/** Types of elements. */
const compressed = 15;
const matrix = 14;

/** Classes of matrices that hold numbers: double to uint64. */
const numeric = { first: 6, last: 15 };

/** How numbers are kept, which need not be what they are in MATLAB: whole numbers are kept in as few bytes as they fit in. */
const numbers: Record<number, (bytes: Uint8Array) => ArrayLike<number>> = {
  1: (bytes) => new Int8Array(aligned(bytes)),
  2: (bytes) => bytes,
  3: (bytes) => new Int16Array(aligned(bytes)),
  4: (bytes) => new Uint16Array(aligned(bytes)),
  5: (bytes) => new Int32Array(aligned(bytes)),
  6: (bytes) => new Uint32Array(aligned(bytes)),
  7: (bytes) => new Float32Array(aligned(bytes)),
  9: (bytes) => new Float64Array(aligned(bytes)),
};

const aligned = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;

interface Element {
  type: number;
  bytes: Uint8Array;
}

/** Type and bytes of the next element; behind it and its padding. */
function readElement(cursor: Cursor): Element {
  const first = cursor.u32();
  // Up to four bytes stand in the tag itself, their number in its upper half.
  if (first >>> 16 !== 0) {
    const bytes = cursor.take(4);
    return { type: first & 0xffff, bytes: bytes.subarray(0, first >>> 16) };
  }
  const length = cursor.u32();
  const bytes = cursor.take(length);
  // Packed elements are not padded, and the last padding of a file may be missing.
  if (first !== compressed) cursor.at = Math.min(cursor.bytes.length, Math.ceil(cursor.at / 8) * 8);
  return { type: first, bytes };
}

/** Name and numbers of a matrix. */
function readMatrix(bytes: Uint8Array): [name: string, array: MatlabArray] | undefined {
  const cursor = new Cursor(bytes);
  const flags = readElement(cursor).bytes;
  const kind = flags[0] as number;
  const shape = [...new Int32Array(aligned(readElement(cursor).bytes))];
  const name = Buffer.from(readElement(cursor).bytes).toString('latin1');
  if (kind < numeric.first || kind > numeric.last) return undefined;
  const real = readElement(cursor);
  const data = numbers[real.type]?.(real.bytes);
  const size = sizeOf(shape);
  if (!data) throw new CutShort(`${name} has numbers of the unknown type ${real.type}`);
  if (data.length !== size)
    throw new CutShort(`${name} has ${data.length} numbers, its sizes ${shape.join(' x ')} need ${size}`);
  return [name, { shape, data }];
}

function unpack(bytes: Uint8Array): Uint8Array {
  try {
    return inflateSync(bytes);
  } catch {
    throw new CutShort('an element cannot be unpacked: damaged, or cut short');
  }
}

/** The arrays by name. Throws an error naming the file if it is damaged or of another kind. */
export function readMatlab(file: string, bytes: Uint8Array): Map<string, MatlabArray> {
  const header = Buffer.from(bytes.subarray(0, 128));
  if (header.length < 128) throw damaged(file, `${header.length} bytes are too few for a MATLAB header`);
  const [version, order] = [header.readUInt16LE(124), header.toString('latin1', 126, 128)];
  if (version !== 0x0100 || order !== 'IM')
    throw damaged(file, `no little-endian MATLAB file of level 5 (version 0x${version.toString(16)})`);
  const arrays = new Map<string, MatlabArray>();
  const cursor = new Cursor(bytes, 128);
  try {
    while (cursor.at < bytes.length) {
      let element = readElement(cursor);
      if (element.type === compressed) element = readElement(new Cursor(unpack(element.bytes)));
      const found = element.type === matrix ? readMatrix(element.bytes) : undefined;
      if (found) arrays.set(...found);
    }
  } catch (error) {
    if (error instanceof CutShort) throw damaged(file, error.message);
    throw error;
  }
  return arrays;
}
