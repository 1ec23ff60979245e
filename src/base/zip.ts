/**
 * The directory of a zip file (with ZIP64 fields), and its members. Where they are to be stored as they are, as torch.save writes them,
 * compressed ones are refused, so that what is read is never larger than the file. Nothing is unpacked to disk.
 */
import { crc32, inflateRawSync } from 'node:zlib';
import { Cursor, FormatError, type Source } from './source.ts';

export interface ZipMember {
  name: string;
  size: number;
  /** Bytes in the file, compressed by deflate or as they are. */
  packed: number;
  compressed: boolean;
  crc32: number;
  /** Where its local header begins. */
  header: number;
}

const signatures = {
  local: 0x04034b50,
  central: 0x02014b50,
  end: 0x06054b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
};

/** Of the record at the end of the file, and the longest comment behind it. */
const endBytes = 22;
const longestComment = 0xffff;
const largestDirectory = 32 * 2 ** 20;

/** What 2 and 4 byte fields hold if the value stands in a ZIP64 field. */
const elsewhere = 0xffffffff;

/** Ways of keeping a member. */
const stored = 0;
const deflated = 8;

/** The members by name. Throws a FormatError if the directory is damaged. */
export async function readZipDirectory(source: Source): Promise<Map<string, ZipMember>> {
  const { start, size, count } = await findDirectory(source);
  if (size > largestDirectory)
    throw new FormatError(`the zip directory has ${size} bytes, at most ${largestDirectory} are read`);
  const cursor = new Cursor(await source.read(start, size));
  const members = new Map<string, ZipMember>();
  // Archives of more than 65,535 members without ZIP64 fields count modulo 65,536.
  while (cursor.at < size) {
    const member = readEntry(cursor);
    if (members.has(member.name)) throw new FormatError(`the zip file has two members ${member.name}`);
    if (member.header + member.packed > start)
      throw new FormatError(`zip member ${member.name} reaches beyond the end of the data`);
    members.set(member.name, member);
  }
  if (members.size !== count && members.size % 0x10000 !== count)
    throw new FormatError(
      `the zip directory has ${members.size} members, its end says ${count}: the file is damaged`,
    );
  return members;
}

/** Where the central directory is. */
async function findDirectory(source: Source): Promise<{ start: number; size: number; count: number }> {
  const length = Math.min(source.size, endBytes + longestComment);
  const tail = await source.read(source.size - length, length);
  const at = Buffer.from(tail.buffer).lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (at < 0) throw new FormatError('the zip file has no directory at its end: it is cut short');
  const end = new Cursor(tail, at + 10);
  const [count, size, start] = [end.u16(), end.u32(), end.u32()];
  end.take(end.u16());
  if (count !== 0xffff && size !== elsewhere && start !== elsewhere) return { start, size, count };
  if (at < 20) throw new FormatError('the zip file has no ZIP64 directory: it is damaged');
  const locator = new Cursor(tail, at - 20);
  if (locator.u32() !== signatures.locator64)
    throw new FormatError('the zip file has no ZIP64 directory: it is damaged');
  locator.take(4);
  const end64 = new Cursor(await source.read(locator.u64(), 56));
  if (end64.u32() !== signatures.end64)
    throw new FormatError('the ZIP64 directory is not where it should be: the file is damaged');
  end64.take(28);
  return { count: end64.u64(), size: end64.u64(), start: end64.u64() };
}

/** One entry of the central directory. */
function readEntry(cursor: Cursor): ZipMember {
  if (cursor.u32() !== signatures.central) throw new FormatError('the zip directory is damaged');
  cursor.take(4);
  const [flags, method] = [cursor.u16(), cursor.u16()];
  cursor.take(4);
  const [crc32, packed, size] = [cursor.u32(), cursor.u32(), cursor.u32()];
  const [nameBytes, extraBytes, commentBytes] = [cursor.u16(), cursor.u16(), cursor.u16()];
  cursor.take(8);
  const offset = cursor.u32();
  const name = Buffer.from(cursor.take(nameBytes)).toString('utf8');
  const extra = zip64Fields(new Cursor(cursor.take(extraBytes)));
  cursor.take(commentBytes);
  if (name.split(/[/\\]/).includes('..') || name.startsWith('/')) {
    throw new FormatError(`zip member ${JSON.stringify(name)} climbs out of the archive`);
  }
  if (flags & 1) throw new FormatError(`zip member ${name} is encrypted`);
  // The ZIP64 fields are there for those that do not fit, in this order.
  const [fullSize, fullPacked, header] = [size, packed, offset].map((value) =>
    value === elsewhere ? (extra.shift() ?? value) : value,
  ) as [number, number, number];
  if (method === stored && fullSize !== fullPacked)
    throw new FormatError(`zip member ${name} is stored, but its two sizes differ: the file is damaged`);
  if (method !== stored && method !== deflated)
    throw new FormatError(`zip member ${name} is compressed by method ${method}; only deflate is read`);
  return { name, size: fullSize, packed: fullPacked, compressed: method === deflated, crc32, header };
}

/** The 8-byte numbers of the ZIP64 field among the extra fields, if there is one. */
function zip64Fields(extra: Cursor): number[] {
  while (extra.at + 4 <= extra.bytes.length) {
    const [id, length] = [extra.u16(), extra.u16()];
    const field = new Cursor(extra.take(length));
    if (id === 1) return Array.from({ length: Math.min(3, Math.floor(length / 8)) }, () => field.u64());
  }
  return [];
}

/** Where the bytes of a member begin in the file. */
export async function memberStart(source: Source, { name, header, packed }: ZipMember): Promise<number> {
  const cursor = new Cursor(await source.read(header, 30));
  if (cursor.u32() !== signatures.local)
    throw new FormatError(`zip member ${name} is not where the directory says: the file is damaged`);
  cursor.take(22);
  const start = header + 30 + cursor.u16() + cursor.u16();
  if (start + packed > source.size)
    throw new FormatError(`zip member ${name} reaches beyond the end of the file: it is cut short`);
  return start;
}

/** The bytes of a member, unpacked and checked. */
export async function readMember(source: Source, member: ZipMember): Promise<Uint8Array> {
  const { name, size, packed, compressed, crc32: expected } = member;
  const raw = await source.read(await memberStart(source, member), packed);
  const bytes = compressed ? inflate(raw, size, name) : raw;
  if (bytes.length !== size || crc32(bytes) !== expected)
    throw new FormatError(
      `zip member ${name} has another checksum than the archive says: the file is damaged`,
    );
  return bytes;
}

/** At most `size` bytes, whatever the data says. */
function inflate(raw: Uint8Array, size: number, name: string): Uint8Array {
  try {
    return inflateRawSync(raw, { maxOutputLength: Math.max(1, size) });
  } catch (error) {
    throw new FormatError(
      `zip member ${name} cannot be unpacked (${(error as Error).message}): the file is damaged`,
    );
  }
}
