/** Writes small files in the formats that data sets are published in. Knows nothing of the product's readers. */
import { crc32, deflateRawSync, deflateSync } from 'node:zlib';

/** An IDX file of these sizes and bytes. */
export function idx(shape: number[], data: Uint8Array, magic = 0x0800 + shape.length): Uint8Array {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.writeUInt32BE(magic);
  for (const [i, size] of shape.entries()) header.writeUInt32BE(size, 4 + 4 * i);
  return Buffer.concat([header, data]);
}

/** A tar archive packed with gzip. */
export async function tarGz(members: Record<string, Uint8Array>): Promise<Uint8Array> {
  return new Bun.Archive(members as Record<string, Uint8Array<ArrayBuffer>>, { compress: 'gzip' }).bytes();
}

const u32 = (...values: number[]) => Buffer.from(Uint32Array.from(values).buffer);

/** An element of a MATLAB file, padded to 8 bytes. */
export const matlabElement = (type: number, data: Uint8Array): Buffer =>
  Buffer.concat([u32(type, data.length), data, Buffer.alloc(type === 15 ? 0 : (8 - (data.length % 8)) % 8)]);

/** A matrix of the class uint8, packed by zlib. `type` says how its numbers are kept (2: bytes). */
export function matlabMatrix(name: string, shape: number[], data: Uint8Array, type = 2): Buffer {
  const parts = [
    matlabElement(6, u32(9, 0)),
    matlabElement(5, Buffer.from(Int32Array.from(shape).buffer)),
    matlabElement(1, Buffer.from(name)),
    matlabElement(type, data),
  ];
  return matlabElement(15, deflateSync(matlabElement(14, Buffer.concat(parts))));
}

export function matlabFile(elements: Uint8Array[], { version = 0x0100, order = 'IM' } = {}): Buffer {
  const header = Buffer.alloc(128, 'MATLAB 5.0 MAT-file ');
  header.writeUInt16LE(version, 124);
  header.write(order, 126, 'latin1');
  return Buffer.concat([header, ...elements]);
}

/** A zip archive of packed members. Without ZIP64 fields more than 65,535 members are counted modulo 65,536. */
export function deflatedZip(members: Record<string, Uint8Array>, method = 8): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, data] of Object.entries(members)) {
    const packed = deflateRawSync(data);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(method, 4);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([u32(0x04034b50), common, Buffer.from(name), packed]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([u32(0x02014b50), Buffer.from([20, 0]), common, place, Buffer.from(name)]));
    parts.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(directory.length & 0xffff, 4);
  end.writeUInt16LE(directory.length & 0xffff, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...parts, central, u32(0x06054b50), end]);
}

/** What a PNG file says of itself: 8 bits of red, green and blue by default, or another type of colour, bits and chunks in front of the pixels. */
export interface PngOptions {
  bits?: number;
  color?: number;
  before?: readonly (readonly [type: string, data: Uint8Array])[];
}

/** A PNG image of these bytes, rows of them from the top. */
export function png(
  bytes: Uint8Array,
  [height, width]: readonly [height: number, width: number],
  { bits = 8, color = 2, before = [] }: PngOptions = {},
): Buffer {
  const chunk = (type: string, data: Uint8Array) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([bits, color], 8);
  const stride = bytes.length / height;
  const rows = Array.from({ length: height }, (_, y) =>
    Buffer.concat([Buffer.alloc(1), bytes.subarray(y * stride, (y + 1) * stride)]),
  );
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    ...before.map(([type, data]) => chunk(type, data)),
    chunk('IDAT', deflateSync(Buffer.concat(rows))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** A JPEG image of these pixels [height, width, 3], as near as JPEG comes. */
export async function jpeg(
  pixels: Uint8Array,
  size: readonly [height: number, width: number],
): Promise<Uint8Array> {
  return new Bun.Image(png(pixels, size)).jpeg({ quality: 95 }).bytes();
}

/** The error of a promise or function that has to fail. */
export async function errorOf(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('there was no error');
}

export const remedy = 'Download the file again, or point --data to another copy.';
