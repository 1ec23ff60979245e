import type { Pointer } from 'bun:ffi';
import type { Block, Memory } from '../../kernels/memory.ts';

const pageBytes = 65536;
/** The memory grows by this much at least, in bytes. */
const growth = 2 ** 24;

/** A run of bytes that nobody uses. */
interface Range {
  start: number;
  end: number;
}

/** Blocks of a WebAssembly memory beyond what the module itself lies in; the first range that is large enough serves. */
export class Heap implements Memory {
  private readonly memory: WebAssembly.Memory;
  /** In the order of their addresses, no two of them adjacent. */
  private free: Range[] = [];

  constructor(memory: WebAssembly.Memory) {
    this.memory = memory;
  }

  allocate(capacity: number): Block | undefined {
    const range = this.free.find(({ start, end }) => end - start >= capacity) ?? this.grow(capacity);
    if (!range) return undefined;
    const { start } = range;
    range.start += capacity;
    if (range.start === range.end) this.free.splice(this.free.indexOf(range), 1);
    // The buffer's length is that of the memory when it was asked for, so that older ones do not reach this far.
    return { buffer: this.memory.buffer, offset: start, address: start as Pointer, capacity };
  }

  release({ offset, capacity }: Block): void {
    this.insert({ start: offset, end: offset + capacity });
  }

  /** Joins a range with its neighbours; gives the one that it is part of. */
  private insert(range: Range): Range {
    const at = this.free.findIndex(({ start }) => start > range.start);
    const index = at < 0 ? this.free.length : at;
    const [before, after] = [this.free[index - 1], this.free[index]];
    if (after?.start === range.end) {
      range.end = after.end;
      this.free.splice(index, 1);
    }
    if (before?.end === range.start) {
      before.end = range.end;
      return before;
    }
    this.free.splice(index, 0, range);
    return range;
  }

  private grow(capacity: number): Range | undefined {
    for (const bytes of [Math.max(capacity, growth), capacity]) {
      const pages = Math.ceil(bytes / pageBytes);
      try {
        const start = this.memory.grow(pages) * pageBytes;
        return this.insert({ start, end: start + pages * pageBytes });
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
      }
    }
    return undefined;
  }
}
