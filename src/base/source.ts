/** Bytes of a file, read by range. */
import { type FileHandle, open } from 'node:fs/promises';

/** A file or folder that cannot be read as what it should be: what is wrong and what to do. The message names it. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
}

export class Source {
  private constructor(
    readonly path: string,
    readonly size: number,
    private readonly file: FileHandle,
  ) {}

  /** Opens a file. Close it when done. */
  static async open(path: string): Promise<Source> {
    const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
      throw new FormatError(`${path}: ${error.code === 'ENOENT' ? 'there is no such file' : error.message}`);
    });
    const stat = await file.stat();
    if (stat.isFile()) return new Source(path, stat.size, file);
    await file.close();
    throw new FormatError(`${path}: not a file`);
  }

  /** The bytes from `start` on, in a buffer of their own. Nothing is allocated for a range that the file does not have. */
  async read(start: number, length: number): Promise<Uint8Array> {
    if (!(start >= 0 && length >= 0 && start + length <= this.size)) {
      throw new FormatError(
        `bytes ${start} to ${start + length} are beyond the end of the file (${this.size} bytes): it is cut short or damaged`,
      );
    }
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const { bytesRead } = await this.file.read(bytes, at, length - at, start + at);
      if (bytesRead === 0) throw new FormatError('the file was cut short while it was open');
      at += bytesRead;
    }
    return bytes;
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

/** Numbers from bytes in order, each checked to be there; little-endian. */
export class Cursor {
  private readonly view: DataView;

  constructor(
    readonly bytes: Uint8Array,
    public at = 0,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Where the next `length` bytes begin; moves on behind them. */
  private advance(length: number): number {
    if (!(length >= 0 && length <= this.bytes.length - this.at)) {
      throw new CutShort(`${length} bytes are missing at byte ${this.at} of ${this.bytes.length}`);
    }
    this.at += length;
    return this.at - length;
  }

  u8 = () => this.view.getUint8(this.advance(1));
  u16 = () => this.view.getUint16(this.advance(2), true);
  u32 = () => this.view.getUint32(this.advance(4), true);
  i32 = () => this.view.getInt32(this.advance(4), true);
  /** Big-endian, as pickles have it. */
  f64 = () => this.view.getFloat64(this.advance(8), false);

  /** A length or place of 8 bytes. */
  u64(): number {
    const value = this.view.getBigUint64(this.advance(8), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new FormatError(`${value} is no size that a file has`);
    return Number(value);
  }

  /** A view of the next bytes. */
  take(length: number): Uint8Array {
    const start = this.advance(length);
    return this.bytes.subarray(start, start + length);
  }

  /** Text up to a line feed, without it. */
  line(): string {
    const end = this.bytes.indexOf(10, this.at);
    if (end < 0) throw new CutShort(`no line ends behind byte ${this.at}`);
    const text = this.take(end - this.at);
    this.at++;
    return Buffer.from(text).toString('utf8');
  }
}

/** The bytes end where more are needed. */
export class CutShort extends FormatError {}
