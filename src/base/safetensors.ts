/**
 * The safetensors file format: 8 bytes of header length, a JSON header with dtype, shape and byte range of each tensor,
 * then the bytes, little-endian. Reading opens the header only; each tensor is read by its own slice.
 */

import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { bytesPerNumber, type NumberFormat, toFloat32 } from './dtypes.ts';
import { UnreadableFile } from './file-errors.ts';
import { parseJson, writeSafely } from './files.ts';
import { sizeOf } from './shape.ts';

export type TensorData = Float32Array | Float64Array | Uint8Array | Int32Array | BigInt64Array;
/** The format's names of number formats. */
const formats = {
  ...{ F64: 'float64', F32: 'float32', F16: 'float16', BF16: 'bfloat16', BOOL: 'bool' },
  ...{ F8_E4M3: 'float8_e4m3fn', F8_E5M2: 'float8_e5m2' },
  ...{ F8_E4M3FNUZ: 'float8_e4m3fnuz', F8_E5M2FNUZ: 'float8_e5m2fnuz' },
  ...{ I64: 'int64', I32: 'int32', I16: 'int16', I8: 'int8' },
  ...{ U64: 'uint64', U32: 'uint32', U16: 'uint16', U8: 'uint8' },
} as const satisfies Record<string, NumberFormat>;

type Dtype = keyof typeof formats;

/** Formats that the standard has and that are not read, with their bits. */
const unreadBits: Record<string, number> = { C64: 64, F8_E8M0: 8, F4: 4, F6_E2M3: 6, F6_E3M2: 6 };

export interface NamedTensor {
  name: string;
  shape: readonly number[];
  data: TensorData;
}

export interface TensorInfo {
  /** As the file names it. */
  dtype: string;
  /** Undefined: its numbers are not read. */
  format: NumberFormat | undefined;
  shape: number[];
  /** First byte and one past the last, within the data section. */
  offsets: [number, number];
}

/** Those that are written, and read as they are. */
const arrays = {
  F32: Float32Array,
  F64: Float64Array,
  U8: Uint8Array,
  I32: Int32Array,
  I64: BigInt64Array,
} as const;

/**
 * Largest header that is read: the reference implementation's 100 MB, in a file that is large itself. A header takes some thirty times its
 * bytes in memory, and a real one describes numbers that are many more.
 */
const maxHeaderBytes = (fileBytes: number) => Math.min(100_000_000, 8 * 2 ** 20 + fileBytes / 64);

function dtypeOf(data: TensorData): Dtype {
  for (const [dtype, array] of Object.entries(arrays)) if (data instanceof array) return dtype as Dtype;
  throw new TypeError(`safetensors: no dtype for ${data.constructor.name}`);
}

/** Writes tensors (and text metadata) to `path`. */
export async function writeSafetensors(
  path: string,
  tensors: readonly NamedTensor[],
  metadata?: Record<string, string>,
): Promise<void> {
  const header: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  let offset = 0;
  for (const { name, shape, data } of tensors) {
    if (sizeOf(shape) !== data.length) {
      throw new RangeError(
        `safetensors: ${name} has ${data.length} numbers, its shape [${shape}] needs ${sizeOf(shape)}`,
      );
    }
    if (name in header) throw new RangeError(`safetensors: two tensors are named ${name}`);
    header[name] = { dtype: dtypeOf(data), shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  // Padded with spaces to 8 bytes, so that the data is aligned for a memory map.
  const json = JSON.stringify(header);
  const padded = json + ' '.repeat((8 - (Buffer.byteLength(json) % 8)) % 8);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(padded)));

  const bytes = tensors.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  await writeSafely(path, [length, Buffer.from(padded), ...bytes]);
}

function isNaturals(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

/** The header's entry for one tensor, checked against the size of the data section. */
function checkInfo(name: string, entry: unknown, dataBytes: number): TensorInfo {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  const isKnown = (value: unknown): value is Dtype =>
    typeof value === 'string' && Object.hasOwn(formats, value);
  const format = isKnown(dtype) ? formats[dtype] : undefined;
  const bits = format ? 8 * bytesPerNumber(format) : unreadBits[String(dtype)];
  if (typeof dtype !== 'string' || bits === undefined) {
    throw new Error(
      `tensor ${name} has dtype ${JSON.stringify(dtype)}; known are ${Object.keys(formats).join(', ')}`,
    );
  }
  if (!isNaturals(shape)) throw new Error(`tensor ${name} has no valid shape`);
  if (!isNaturals(offsets) || offsets.length !== 2) throw new Error(`tensor ${name} has no valid byte range`);
  const [begin, end] = offsets as [number, number];
  const bytes = (sizeOf(shape) * bits) / 8;
  if (end - begin !== bytes) {
    throw new Error(
      `tensor ${name} of shape [${shape}] needs ${bytes} bytes, its range [${begin}, ${end}) has ${end - begin}`,
    );
  }
  if (end > dataBytes)
    throw new Error(`tensor ${name} ends at byte ${end} of ${dataBytes}: the file is cut short`);
  return { dtype, format, shape, offsets: [begin, end] };
}

/** An open file: its header is in memory, its tensors are read when asked for. Close it when done. */
export class SafetensorsFile {
  constructor(
    readonly path: string,
    private readonly file: FileHandle,
    /** First byte of the data section. */
    readonly dataStart: number,
    private readonly tensors: ReadonlyMap<string, TensorInfo>,
    readonly metadata: Readonly<Record<string, string>>,
  ) {}

  get names(): string[] {
    return [...this.tensors.keys()];
  }

  /** A metadata entry that is JSON. Throws an UnreadableFile if it is not there, or is none. */
  json(name: string): unknown {
    return parseJson(this.path, this.metadata[name]);
  }

  /** Type, shape and place of a tensor. Throws if there is none of this name. */
  info(name: string): TensorInfo {
    const info = this.tensors.get(name);
    if (!info) throw new Error(`${this.path}: no tensor ${name}`);
    return info;
  }

  /** The numbers of one tensor; only its own bytes are read. Throws for a dtype that has no array of its own. */
  async read(name: string): Promise<TensorData> {
    const { dtype } = this.info(name);
    if (dtype in arrays)
      return new arrays[dtype as keyof typeof arrays]((await this.readBytes(name)).buffer as ArrayBuffer);
    throw new Error(
      `${this.path}: tensor ${name} is ${dtype}, expected one of ${Object.keys(arrays).join(', ')}`,
    );
  }

  /** The bytes of one tensor, in a buffer of their own. */
  private async readBytes(name: string): Promise<Uint8Array> {
    const { offsets } = this.info(name);
    const bytes = new Uint8Array(offsets[1] - offsets[0]);
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await this.file.read(
        bytes,
        at,
        bytes.length - at,
        this.dataStart + offsets[0] + at,
      );
      if (bytesRead === 0)
        throw new Error(`${this.path}: the file was cut short while it was open (tensor ${name})`);
      at += bytesRead;
    }
    return bytes;
  }

  /** As `read`, for a tensor that must be float32. */
  async readFloats(name: string): Promise<Float32Array> {
    const data = await this.read(name);
    if (data instanceof Float32Array) return data;
    throw new Error(`${this.path}: tensor ${name} is ${this.info(name).dtype}, expected F32`);
  }

  /** As `read`, whatever the tensor's format is: rounded to float32. */
  async readAsFloats(name: string): Promise<Float32Array> {
    const { format, dtype } = this.info(name);
    if (format) return toFloat32(format, await this.readBytes(name));
    throw new Error(`${this.path}: ${name}: the tensor is ${dtype}, which is not read`);
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

/** What of the metadata is text, as all of it has to be. */
const textsOf = (metadata: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(metadata ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );

/** Opens a file and checks its header. Errors name the file and what is wrong with it. */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const lead = Buffer.alloc(8);
    if (size < 8 || (await file.read(lead, 0, 8, 0)).bytesRead < 8) throw new Error('shorter than 8 bytes');
    const headerBytes = lead.readBigUInt64LE();
    if (headerBytes > BigInt(size - 8)) {
      throw new Error(
        `a header of ${headerBytes} bytes does not fit in a file of ${size}: cut short, or not safetensors`,
      );
    }
    if (headerBytes > maxHeaderBytes(size)) {
      throw new Error(
        `a header of ${headerBytes} bytes is more than a file of ${size} needs: it is damaged, or made to exhaust memory`,
      );
    }
    const text = Buffer.alloc(Number(headerBytes));
    await file.read(text, 0, text.length, 8);
    let header: unknown;
    try {
      header = JSON.parse(text.toString('utf8'));
    } catch {
      throw new Error('the header is not JSON: not a safetensors file, or damaged');
    }
    if (typeof header !== 'object' || header === null || Array.isArray(header))
      throw new Error('the header is no object');
    const { __metadata__: metadata, ...entries } = header as Record<string, unknown>;
    const tensors = new Map<string, TensorInfo>();
    for (const [name, entry] of Object.entries(entries)) {
      tensors.set(name, checkInfo(name, entry, size - 8 - text.length));
    }
    const ranges = [...tensors.values()]
      .map(({ offsets }) => offsets)
      .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    for (let i = 1; i < ranges.length; i++) {
      if ((ranges[i]?.[0] as number) < (ranges[i - 1]?.[1] as number)) throw new Error('two tensors overlap');
    }
    return new SafetensorsFile(path, file, 8 + text.length, tensors, textsOf(metadata));
  } catch (error) {
    await file.close();
    throw new UnreadableFile(path, (error as Error).message);
  }
}
