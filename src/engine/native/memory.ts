import { type Pointer, ptr } from 'bun:ffi';

/** Memory that C computes on: `capacity` bytes of `buffer` from `offset` on, which begin at `address`, a multiple of 64. */
export interface Block {
  readonly buffer: ArrayBuffer;
  readonly offset: number;
  readonly address: Pointer;
  readonly capacity: number;
}

const alignment = 64;

/** Blocks of memory that are used again and again, so that a training step allocates nothing after the first. */
export class Pool {
  private readonly free = new Map<number, Block[]>();
  private freeBytes = 0;
  private usedBytes = 0;
  private peakBytes = 0;

  /** A block of at least so many bytes, content arbitrary. */
  take(bytes: number): Block {
    const capacity = capacityFor(bytes);
    const block = this.free.get(capacity)?.pop();
    this.usedBytes += capacity;
    this.peakBytes = Math.max(this.peakBytes, this.usedBytes);
    if (!block) return allocate(capacity);
    this.freeBytes -= capacity;
    return block;
  }

  /** Gives a block back; nobody may look at it any more. */
  give(block: Block): void {
    this.usedBytes -= block.capacity;
    // Much more free memory than was ever in use at once is of sizes that are no longer asked for: begin anew.
    if (this.freeBytes > 2 * this.peakBytes) {
      this.free.clear();
      this.freeBytes = 0;
    }
    const list = this.free.get(block.capacity);
    if (list) list.push(block);
    else this.free.set(block.capacity, [block]);
    this.freeBytes += block.capacity;
  }

  /** Bytes in use and in wait. */
  get bytes(): number {
    return this.usedBytes + this.freeBytes;
  }
}

/** Four sizes for each power of two, so that at most a fifth of a block lies idle. */
function capacityFor(bytes: number): number {
  const step = Math.max(alignment, 2 ** (Math.floor(Math.log2(Math.max(bytes, 1))) - 2));
  return Math.max(alignment, Math.ceil(bytes / step) * step);
}

function allocate(capacity: number): Block {
  const buffer = new ArrayBuffer(capacity + alignment);
  const start = ptr(buffer);
  const offset = (alignment - (start % alignment)) % alignment;
  return { buffer, offset, address: (start + offset) as Pointer, capacity };
}
