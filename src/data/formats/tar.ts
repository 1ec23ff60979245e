/** Members of a tar archive packed with gzip, read as a stream: what is not asked for is never held in memory. */
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { damaged } from '../damaged.ts';

const block = 512;

/** The bytes of a stream, in pieces of the lengths asked for. */
class Pieces {
  private chunk: Uint8Array = new Uint8Array(0);

  constructor(private readonly chunks: AsyncIterator<Uint8Array>) {}

  /** Hands on the next bytes as they come, each piece with its place among them. Returns whether all were there. */
  async take(length: number, use: (piece: Uint8Array, at: number) => void = () => {}): Promise<boolean> {
    for (let at = 0; at < length; ) {
      if (this.chunk.length === 0) {
        const { value, done } = await this.chunks.next();
        if (done) return false;
        this.chunk = value;
      }
      const piece = this.chunk.subarray(0, length - at);
      use(piece, at);
      at += piece.length;
      this.chunk = this.chunk.subarray(piece.length);
    }
    return true;
  }
}

/** A field of a header: text that ends at the first zero byte. */
const text = (header: Uint8Array, start: number, length: number) =>
  Buffer.from(header.subarray(start, start + length))
    .toString('latin1')
    .split('\0', 1)[0] as string;

/** Name and size of the member that a header is in front of. */
function readHeader(path: string, header: Uint8Array): { name: string; size: number } {
  const checksum = header.reduce((sum, byte, i) => sum + (i >= 148 && i < 156 ? 32 : byte), 0);
  const size = text(header, 124, 12).trim();
  if (Number.parseInt(text(header, 148, 8), 8) !== checksum || !/^[0-7]+$/.test(size))
    throw damaged(path, 'no tar archive, or a damaged one');
  const prefix = text(header, 257, 6) === 'ustar' ? text(header, 345, 155) : '';
  const name = (prefix ? `${prefix}/` : '') + text(header, 0, 100);
  return { name: name.replace(/^\.\//, ''), size: Number.parseInt(size, 8) };
}

/**
 * The members of these names, which are at most so many bytes long. The rest of the archive is not read once they are found. Throws an error naming
 * the file if it is damaged, or has not all of them.
 */
export async function readTarGz(
  path: string,
  wanted: Readonly<Record<string, number>>,
): Promise<Map<string, Uint8Array>> {
  const gunzip = createGunzip();
  // Errors of both streams arrive where the second one is read.
  pipeline(createReadStream(path), gunzip, () => {});
  const found = new Map<string, Uint8Array>();
  const missing = () => Object.keys(wanted).filter((name) => !found.has(name));
  try {
    await readMembers(path, new Pieces(gunzip[Symbol.asyncIterator]()), wanted, found);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (!code?.startsWith('Z_')) throw error;
    throw damaged(path, 'cannot be unpacked: damaged, or cut short');
  } finally {
    gunzip.destroy();
  }
  if (missing().length > 0) throw damaged(path, `the archive has no ${missing().join(', ')}`);
  return found;
}

async function readMembers(
  path: string,
  pieces: Pieces,
  wanted: Readonly<Record<string, number>>,
  found: Map<string, Uint8Array>,
): Promise<void> {
  const left = new Set(Object.keys(wanted));
  const header = new Uint8Array(block);
  while (left.size > 0) {
    const whole = await pieces.take(block, (piece, at) => header.set(piece, at));
    if (!whole) throw damaged(path, 'the archive ends too early');
    if (header.every((byte) => byte === 0)) return;
    const { name, size } = readHeader(path, header);
    const most = left.delete(name) ? (wanted[name] as number) : undefined;
    if (most !== undefined && size > most)
      throw damaged(path, `${name} has ${size} bytes, expected at most ${most}`);
    const bytes = most === undefined ? undefined : new Uint8Array(size);
    if (bytes) found.set(name, bytes);
    const padding = (block - (size % block)) % block;
    const all =
      (await pieces.take(size, (piece, at) => bytes?.set(piece, at))) && (await pieces.take(padding));
    if (!all) throw damaged(path, `the archive ends in the middle of ${name}`);
  }
}
