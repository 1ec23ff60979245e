/** The C functions as WebAssembly, with the interface that bun:ffi gives the native device's. */
import { functions, type Library } from '../../kernels/functions.ts';
import { type Block, OutOfMemory } from '../../kernels/memory.ts';
import { initialPages, maxPages, stackBytes } from './build.ts';
import { Heap } from './heap.ts';

/** What the module exports besides the functions; the linker's names. */
export interface Exports extends Record<string, unknown> {
  __stack_pointer: WebAssembly.Global;
  __tls_size: WebAssembly.Global;
  __wasm_init_tls(address: number): void;
  serve(number: number): void;
}

/** What a worker needs to become a thread. */
export interface ThreadStart {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  number: number;
  /** The address of its stack, above which its own variables lie. */
  stack: number;
}

/** A thread's stack and variables, and a block for the arguments of a call, are multiples of this in bytes. */
const alignment = 64;
const alignedSize = (bytes: number) => Math.ceil(bytes / alignment) * alignment;

export class WasmLibrary {
  readonly functions: Library;
  readonly heap: Heap;
  private readonly module: WebAssembly.Module;
  private readonly memory: WebAssembly.Memory;
  private readonly exports: Exports;
  private threads = 1;

  constructor(module: WebAssembly.Module) {
    this.module = module;
    this.memory = new WebAssembly.Memory({ initial: initialPages, maximum: maxPages, shared: true });
    this.exports = new WebAssembly.Instance(module, { env: { memory: this.memory } }).exports as Exports;
    this.heap = new Heap(this.memory);
    this.functions = callable(this.exports, this.heap);
  }

  /** Lets so many threads compute, the caller's included; starts workers for those that are not there yet. */
  async setThreads(threads: number): Promise<void> {
    for (; this.threads < threads; this.threads++) await this.startThread(this.threads);
    this.functions.set_threads(threads);
  }

  private async startThread(number: number): Promise<void> {
    const { offset } = take(this.heap, stackBytes + alignedSize(this.exports.__tls_size.value));
    const start: ThreadStart = { module: this.module, memory: this.memory, number, stack: offset };
    const worker = new Worker(new URL('worker.ts', import.meta.url).href);
    await new Promise((resolve, reject) => {
      worker.onmessage = resolve;
      worker.onerror = ({ message }) => reject(new Error(`A thread of the wasm device: ${message}`));
      worker.postMessage(start);
    });
    // The process may end although the worker never does.
    worker.unref();
  }
}

function take(heap: Heap, bytes: number): Block {
  const block = heap.allocate(alignedSize(bytes));
  if (!block) throw new OutOfMemory();
  return block;
}

type Argument = number | null | NodeJS.TypedArray;

/** The functions as they take typed arrays too: these are copied to the module's memory for the time of a call. */
function callable(exports: Exports, heap: Heap): Library {
  const space = new Arguments(heap);
  const wrapped = Object.keys(functions).map((name) => {
    const call = exports[name] as (...values: number[]) => number;
    return [name, (...values: Argument[]) => call(...space.addressesIn(values))];
  });
  return Object.fromEntries(wrapped);
}

/** The memory for arrays that are arguments of a call. */
class Arguments {
  private readonly heap: Heap;
  private block: Block;
  private bytes: Uint8Array;

  constructor(heap: Heap) {
    this.heap = heap;
    [this.block, this.bytes] = this.room(4096);
  }

  private room(bytes: number): [Block, Uint8Array] {
    const block = take(this.heap, bytes);
    return [block, new Uint8Array(block.buffer, block.offset, block.capacity)];
  }

  /** The values with the addresses of copies in the place of arrays. */
  addressesIn(values: Argument[]): number[] {
    let needed = 0;
    for (const value of values)
      if (typeof value === 'object' && value) needed += alignedSize(value.byteLength);
    if (needed > this.block.capacity) {
      this.heap.release(this.block);
      [this.block, this.bytes] = this.room(2 * needed);
    }
    let used = 0;
    return values.map((value) => {
      if (typeof value === 'number') return value;
      if (!value) return 0;
      const at = used;
      this.bytes.set(new Uint8Array(value.buffer, value.byteOffset, value.byteLength), at);
      used += alignedSize(value.byteLength);
      return this.block.offset + at;
    });
  }
}
