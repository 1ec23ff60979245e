import { type Pointer, ptr } from 'bun:ffi';

/** Memory that C computes on: `capacity` bytes of `buffer` from `offset` on, which begin at `address`, a multiple of 64. */
export interface Block {
  readonly buffer: ArrayBuffer;
  readonly offset: number;
  readonly address: Pointer;
  readonly capacity: number;
}

/** Where blocks come from. */
export interface Memory {
  /** A block of that capacity, a multiple of 64; undefined if there is no room. */
  allocate(capacity: number): Block | undefined;
  /** Takes it back. */
  release(block: Block): void;
}

/** The memory of the device is used up. */
export class OutOfMemory extends Error {
  override readonly name = 'OutOfMemory';

  constructor() {
    super('The memory of the device is used up. Use smaller batches.');
  }
}

const alignment = 64;

/** Blocks of memory that are used again and again, so that a training step allocates nothing after the first. */
export class Pool {
  private readonly memory: Memory;
  private readonly free = new Map<number, Block[]>();
  private freeBytes = 0;
  private usedBytes = 0;
  private peakBytes = 0;

  constructor(memory: Memory) {
    this.memory = memory;
  }

  /** A block of at least so many bytes, content arbitrary. Throws OutOfMemory. */
  take(bytes: number): Block {
    const capacity = capacityFor(bytes);
    const block = this.reuse(capacity) ?? this.allocate(capacity);
    this.usedBytes += capacity;
    this.peakBytes = Math.max(this.peakBytes, this.usedBytes);
    return block;
  }

  private reuse(capacity: number): Block | undefined {
    const block = this.free.get(capacity)?.pop();
    if (block) this.freeBytes -= capacity;
    return block;
  }

  private allocate(capacity: number): Block {
    const block = this.memory.allocate(capacity);
    if (block) return block;
    // Blocks in wait are of other sizes, but may lie side by side.
    this.clear();
    const joined = this.memory.allocate(capacity);
    if (!joined) throw new OutOfMemory();
    return joined;
  }

  /** Gives a block back; nobody may look at it any more. */
  give(block: Block): void {
    this.usedBytes -= block.capacity;
    // Much more free memory than was ever in use at once is of sizes that are no longer asked for: begin anew.
    if (this.freeBytes > 2 * this.peakBytes) this.clear();
    const list = this.free.get(block.capacity);
    if (list) list.push(block);
    else this.free.set(block.capacity, [block]);
    this.freeBytes += block.capacity;
  }

  private clear(): void {
    for (const blocks of this.free.values()) for (const block of blocks) this.memory.release(block);
    this.free.clear();
    this.freeBytes = 0;
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

/** The memory of JavaScript's own arrays, which is given back when nobody can reach them any more. */
export const arrayMemory: Memory = {
  allocate(capacity) {
    const buffer = new ArrayBuffer(capacity + alignment);
    const start = ptr(buffer);
    const offset = (alignment - (start % alignment)) % alignment;
    return { buffer, offset, address: (start + offset) as Pointer, capacity };
  },
  release() {},
};
