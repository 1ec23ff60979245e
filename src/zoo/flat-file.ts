/**
 * The numbers of a checkpoint on disk as one flat vector, the tensors of the state one after the other, of which any part is read
 * without the rest. Reads are synchronous, positioned, and leave no file open; the system's page cache is the only cache, so that
 * memory does not grow with the zoo, and small zoos are read from it at the speed of a copy. Not memory maps: a file that is cut short under one ends the process.
 */
import { closeSync, openSync, readSync } from 'node:fs';

/** Where a checkpoint's numbers are. Plain data: it travels between threads. */
export interface FlatFile {
  path: string;
  /** Numbers in the flat vector. */
  numbers: number;
  /** Parts of the flat vector that lie together in the file, by their first number and its byte; ascending by number. */
  parts: { start: number; byte: number }[];
}

const bytesPerNumber = Float32Array.BYTES_PER_ELEMENT;

/** Of a flat vector of these tensors: neighbours in the file are one part, which all are in files that this program writes. */
export function joinParts(
  tensors: readonly { byte: number; numbers: number }[],
): Pick<FlatFile, 'numbers' | 'parts'> {
  const parts: FlatFile['parts'] = [];
  let start = 0;
  for (const { byte, numbers } of tensors) {
    const last = parts.at(-1);
    if (!last || last.byte + (start - last.start) * bytesPerNumber !== byte) parts.push({ start, byte });
    start += numbers;
  }
  return { numbers: start, parts };
}

/** The whole flat vector, in an array of its own or `into` one. Throws an error naming the file if it cannot be read. */
export function readFlat(file: FlatFile, into?: Float32Array): Float32Array {
  const flat = into ?? new Float32Array(file.numbers);
  withOpen(file.path, (fd) => read(fd, file, 0, flat));
  return flat;
}

/** Numbers are read by pages of 4 KiB, as disks and the page cache have them. */
const pageNumbers = 1024;
/** Pages that are not needed are read with their neighbours up to this number: copying 16 KiB takes no longer than another call. */
const gapPages = 4;

/** Where `gather` reads to; kept, because the arrays of many windows would otherwise pile up until the memory is swept. */
let scratch = new Float32Array(0);

/**
 * Copies the numbers at these places of the flat vector to `out`, 0 where a place is below 0. Reads the pages that hold them and
 * no others but in small gaps. Throws an error naming the file if it cannot be read, or if a number is not finite.
 */
export function gather(file: FlatFile, places: Int32Array, out: Float32Array): void {
  /** Of each page, first whether it is needed, then which of the pages read it is. */
  const slots = new Int32Array(Math.ceil(file.numbers / pageNumbers)).fill(-1);
  for (let i = 0; i < places.length; i++) {
    const place = places[i] as number;
    if (place >= 0) slots[Math.floor(place / pageNumbers)] = 0;
  }
  const runs: { first: number; end: number }[] = [];
  for (let page = slots.indexOf(0); page >= 0; page = slots.indexOf(0, page + 1)) {
    const last = runs.at(-1);
    if (last && page - last.end <= gapPages) last.end = page + 1;
    else runs.push({ first: page, end: page + 1 });
  }
  const needed = pageNumbers * runs.reduce((sum, { first, end }) => sum + end - first, 0);
  if (scratch.length < needed) scratch = new Float32Array(needed);
  const pages = scratch;
  withOpen(file.path, (fd) => {
    let slot = 0;
    for (const { first, end } of runs) {
      const start = first * pageNumbers;
      const numbers = Math.min(end * pageNumbers, file.numbers) - start;
      read(fd, file, start, pages.subarray(slot * pageNumbers, slot * pageNumbers + numbers));
      for (let page = first; page < end; page++) slots[page] = slot++;
    }
  });
  for (let i = 0; i < places.length; i++) {
    const place = places[i] as number;
    if (place < 0) {
      out[i] = 0;
      continue;
    }
    const page = Math.floor(place / pageNumbers);
    const value = pages[(slots[page] as number) * pageNumbers + (place - page * pageNumbers)] as number;
    if (!Number.isFinite(value)) {
      throw damaged(file.path, `it holds ${value} among the weights of a network`);
    }
    out[i] = value;
  }
}

/** Fills `out` with the numbers of the flat vector from `start` on. */
function read(fd: number, { path, parts, numbers }: FlatFile, start: number, out: Float32Array): void {
  for (let done = 0; done < out.length; ) {
    const next = parts.findIndex((part) => part.start > start + done);
    const part = parts.at(next < 0 ? -1 : next - 1) as FlatFile['parts'][number];
    const end = parts[next]?.start ?? numbers;
    const count = Math.min(out.length - done, end - start - done);
    const bytes = new Uint8Array(out.buffer, out.byteOffset + done * bytesPerNumber, count * bytesPerNumber);
    const position = part.byte + (start + done - part.start) * bytesPerNumber;
    for (let at = 0; at < bytes.length; ) {
      const got = readSync(fd, bytes, at, bytes.length - at, position + at);
      if (got === 0) throw damaged(path, `it ends before byte ${position + bytes.length}`);
      at += got;
    }
    done += count;
  }
}

const damaged = (path: string, what: string) =>
  new Error(`${path}: the file is damaged: ${what}. Train or import the zoo again`);

function withOpen(path: string, use: (fd: number) => void): void {
  const fd = openSync(path, 'r');
  try {
    use(fd);
  } finally {
    closeSync(fd);
  }
}
