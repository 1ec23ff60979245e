/** The IDX format of MNIST's files: a magic number (type and rank), big-endian sizes, then the bytes. */
import { sizeOf } from '../../base/shape.ts';
import { damaged } from '../damaged.ts';

/** An unpacked IDX file of unsigned bytes. */
export interface Idx {
  shape: number[];
  data: Uint8Array;
}

/**
 * Reads an IDX file of unsigned bytes, gzipped or not. `rank` is the number of sizes expected: 3 for images, 1 for labels.
 * Errors name the file and what is wrong with it.
 */
export function readIdx(file: string, bytes: Uint8Array, rank: number): Idx {
  const fail = (what: string): never => {
    throw damaged(file, what);
  };
  let raw = bytes;
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      raw = Bun.gunzipSync(bytes as Uint8Array<ArrayBuffer>);
    } catch {
      fail('cannot be unpacked: damaged, or cut short');
    }
  }
  const header = 4 + 4 * rank;
  if (raw.length < header) fail(`${raw.length} bytes are too few for an IDX header`);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const magic = view.getUint32(0);
  const expected = 0x0800 + rank;
  if (magic !== expected) {
    const hex = (n: number) => `0x${n.toString(16).padStart(8, '0')}`;
    fail(`magic number ${hex(magic)}, expected ${hex(expected)} (IDX of unsigned bytes with ${rank} sizes)`);
  }
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const size = sizeOf(shape);
  if (raw.length - header !== size) {
    fail(`${raw.length - header} bytes of data, its sizes ${shape.join(' x ')} need ${size}`);
  }
  return { shape, data: raw.subarray(header) };
}
