/**
 * Reads pickles and runs nothing: a stack machine for the part of Python's pickle protocols 2 to 5 that plain data and state dicts
 * use. Every global that a pickle names is looked up with the caller: it becomes a `Callable` of ours, an `Inert` placeholder, or an
 * error. What a pickle may build is bounded in total by its size.
 */
import { Cursor, FormatError } from './source.ts';

/**
 * What a pickle may hold: null, booleans, numbers, bigints, strings, Uint8Array, arrays (of lists and tuples), Map (of dicts), Set,
 * Inert (of all other objects), and whatever the host makes.
 */
export interface PickleHost {
  /** What stands for a global. Throws if it is not allowed. */
  global(module: string, name: string): unknown;
  /** What stands for a persistent id. Throws if there is none. */
  persistent(id: unknown): unknown;
  /** Whether Python 2's strings are bytes (Uint8Array) instead of text. */
  bytes?: true;
}

/** A global that may be called, by our code in its place. What it makes, it has to pay for. */
export class Callable {
  constructor(
    readonly name: string,
    readonly call: (args: readonly unknown[], budget: Budget) => unknown,
  ) {}
}

/**
 * What stands for a class, a function, or an object of one: a name and the data that the pickle gave it. It runs nothing, is no tensor, and
 * whatever is called on it gives another one.
 */
export class Inert {
  /** Items, of what is filled as a dict. */
  entries: Map<unknown, unknown> | undefined;
  /** Attributes, as the pickle set them. */
  state: unknown;

  constructor(readonly name: string) {}
}

/** About what values take in memory, in bytes; `slot` is a place on the stack or in a list. */
const cost = { slot: 8, object: 64, item: 64, text: 40 };

/** How many bytes a pickle's values may take for each of its own, and in any case. A dict of short numbers takes 16. */
const bytesPerByte = 16;
const bytesInAnyCase = 32 * 2 ** 20;

/** How much more may be built. */
export class Budget {
  private left: number;

  constructor(pickleBytes: number) {
    this.left = bytesInAnyCase + bytesPerByte * pickleBytes;
  }

  /** Throws a FormatError when nothing is left. */
  spend(bytes: number): void {
    this.left -= bytes;
    if (this.left < 0)
      throw new FormatError(
        'the pickle builds far more than a file of its size holds: it is damaged, or made to exhaust memory',
      );
  }

  /** For an object with so many items that it holds by itself. */
  spendItems(count: number): void {
    this.spend(cost.object + cost.item * count);
  }
}

const maxDigits = 256;
/** Picklers number what they keep one after the other. */
const largestGap = 2 ** 16;

const mark = Symbol('mark');

/** The value of the pickle that begins at `start`, and where it ends. Throws a FormatError for anything else. */
export function unpickle(bytes: Uint8Array, host: PickleHost, start = 0): { value: unknown; end: number } {
  const machine = new Machine(new Cursor(bytes, start), host, new Budget(bytes.length - start));
  // Every step takes a byte at least.
  while (!machine.step());
  return { value: machine.pop(), end: machine.cursor.at };
}

class Machine {
  private readonly stack: unknown[] = [];
  private readonly memo: unknown[] = [];

  constructor(
    readonly cursor: Cursor,
    private readonly host: PickleHost,
    private readonly budget: Budget,
  ) {}

  pop(): unknown {
    if (this.stack.length === 0)
      throw new FormatError(`the pickle takes a value from an empty stack at byte ${this.cursor.at}`);
    const value = this.stack.pop();
    if (value === mark)
      throw new FormatError(`the pickle takes a mark for a value at byte ${this.cursor.at}`);
    return value;
  }

  private top(): unknown {
    const value = this.pop();
    this.stack.push(value);
    return value;
  }

  /** The values above the last mark, which are taken with it. */
  private popMarked(): unknown[] {
    const at = this.stack.lastIndexOf(mark);
    if (at < 0) throw new FormatError(`the pickle has no mark at byte ${this.cursor.at}`);
    const values = this.stack.splice(at);
    values.shift();
    return values;
  }

  private popTuple(size: number): unknown[] {
    return Array.from({ length: size }, () => this.pop()).reverse();
  }

  private popText(): string {
    const text = this.pop();
    if (typeof text !== 'string')
      throw new FormatError('the pickle names a global by something that is no text');
    return text;
  }

  private text(length: number): string {
    const bytes = this.cursor.take(length);
    this.budget.spend(cost.text + length);
    return Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('utf8');
  }

  private data(length: number): Uint8Array {
    this.budget.spend(cost.object);
    return this.cursor.take(length);
  }

  /** A string of Python 2, which may be either. */
  private oldString = (length: number) => (this.host.bytes ? this.data(length) : this.text(length));

  private set(values: unknown[]): Set<unknown> {
    this.budget.spendItems(values.length);
    return new Set(values);
  }

  private global(module: string, name: string): unknown {
    this.budget.spend(cost.object + module.length + name.length);
    return this.host.global(module, name);
  }

  private object<T>(value: T): T {
    this.budget.spend(cost.object);
    return value;
  }

  /** A little-endian integer in two's complement. */
  private integer(length: number): number | bigint {
    const bytes = this.cursor.take(length);
    if (length > maxDigits) throw new FormatError(`the pickle has an integer of ${length} bytes`);
    if (length === 0) return 0;
    const value = BigInt.asIntN(8 * length, BigInt(`0x${Buffer.from(bytes.toReversed()).toString('hex')}`));
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  private call(target: unknown, args: unknown): unknown {
    if (!(target instanceof Callable) && !(target instanceof Inert))
      throw new FormatError('the pickle calls something that is no function');
    if (!Array.isArray(args))
      throw new FormatError(`the pickle calls ${target.name} with something that is no tuple`);
    if (target instanceof Callable) return target.call(args, this.budget);
    const made = this.object(new Inert(target.name));
    if (args.length === 1 && args[0] instanceof Map) made.entries = args[0];
    return made;
  }

  private remember(index: number): void {
    if (index > this.memo.length + largestGap)
      throw new FormatError(`the pickle keeps value ${index} after ${this.memo.length} others`);
    this.budget.spend(cost.slot * Math.max(0, index + 1 - this.memo.length));
    this.memo[index] = this.top();
  }

  private recall(index: number): unknown {
    if (!(index in this.memo))
      throw new FormatError(`the pickle recalls value ${index}, which it has not kept`);
    return this.memo[index];
  }

  private setItems(pairs: unknown[]): void {
    let target = this.top();
    if (target instanceof Inert) {
      target.entries ??= new Map();
      target = target.entries;
    }
    if (!(target instanceof Map) || pairs.length % 2 !== 0)
      throw new FormatError('the pickle sets items of something that is no dict');
    this.budget.spend((cost.item * pairs.length) / 2);
    for (let i = 0; i < pairs.length; i += 2) target.set(pairs[i], pairs[i + 1]);
  }

  private append(values: unknown[]): void {
    const target = this.top();
    if (target instanceof Inert) return;
    if (!Array.isArray(target)) throw new FormatError('the pickle appends to something that is no list');
    this.budget.spend(cost.slot * values.length);
    for (const value of values) target.push(value);
  }

  private addItems(values: unknown[]): void {
    const target = this.top();
    if (target instanceof Inert) return;
    if (!(target instanceof Set)) throw new FormatError('the pickle adds to something that is no set');
    this.budget.spend(cost.item * values.length);
    for (const value of values) target.add(value);
  }

  /** Attributes of an ordered dict (`_metadata` of state dicts) say nothing that is needed. */
  private build(): void {
    const state = this.pop();
    const target = this.top();
    if (target instanceof Inert) target.state = state;
    else if (!(target instanceof Map))
      throw new FormatError('the pickle sets attributes of something that is no ordered dict');
  }

  /** Carries out the next opcode. True at the end of the pickle. */
  step(): boolean {
    const { cursor, stack } = this;
    const at = cursor.at;
    const code = cursor.u8();
    this.budget.spend(cost.slot);
    switch (code) {
      case 0x80: {
        // PROTO
        const protocol = cursor.u8();
        if (protocol > 5) throw new FormatError(`pickle protocol ${protocol} is unknown`);
        break;
      }
      case 0x95: // FRAME: how many bytes follow, which the others say too.
        cursor.u64();
        break;
      case 0x2e: // STOP
        return true;
      case 0x28: // MARK
        stack.push(mark);
        break;
      case 0x30: // POP
        stack.pop();
        break;
      case 0x31: // POP_MARK
        this.popMarked();
        break;
      case 0x32: // DUP
        stack.push(this.top());
        break;
      case 0x4e: // NONE
        stack.push(null);
        break;
      case 0x88: // NEWTRUE
        stack.push(true);
        break;
      case 0x89: // NEWFALSE
        stack.push(false);
        break;
      case 0x4a: // BININT
        stack.push(cursor.i32());
        break;
      case 0x4b: // BININT1
        stack.push(cursor.u8());
        break;
      case 0x4d: // BININT2
        stack.push(cursor.u16());
        break;
      case 0x8a: // LONG1
        stack.push(this.integer(cursor.u8()));
        break;
      case 0x8b: // LONG4
        stack.push(this.integer(cursor.u32()));
        break;
      case 0x47: // BINFLOAT
        stack.push(cursor.f64());
        break;
      case 0x55: // SHORT_BINSTRING, of Python 2
        stack.push(this.oldString(cursor.u8()));
        break;
      case 0x54: // BINSTRING, of Python 2
        stack.push(this.oldString(cursor.u32()));
        break;
      case 0x8c: // SHORT_BINUNICODE
        stack.push(this.text(cursor.u8()));
        break;
      case 0x58: // BINUNICODE
        stack.push(this.text(cursor.u32()));
        break;
      case 0x8d: // BINUNICODE8
        stack.push(this.text(cursor.u64()));
        break;
      case 0x43: // SHORT_BINBYTES
        stack.push(this.data(cursor.u8()));
        break;
      case 0x42: // BINBYTES
        stack.push(this.data(cursor.u32()));
        break;
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        stack.push(this.data(cursor.u64()));
        break;
      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
        stack.push(this.object([]));
        break;
      case 0x7d: // EMPTY_DICT
        stack.push(this.object(new Map()));
        break;
      case 0x8f: // EMPTY_SET
        stack.push(this.object(new Set()));
        break;
      case 0x74: // TUPLE
        stack.push(this.object(this.popMarked()));
        break;
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        stack.push(this.object(this.popTuple(code - 0x84)));
        break;
      case 0x91: // FROZENSET
        stack.push(this.set(this.popMarked()));
        break;
      case 0x61: // APPEND
        this.append([this.pop()]);
        break;
      case 0x65: // APPENDS
        this.append(this.popMarked());
        break;
      case 0x73: // SETITEM
        this.setItems(this.popTuple(2));
        break;
      case 0x75: // SETITEMS
        this.setItems(this.popMarked());
        break;
      case 0x90: // ADDITEMS
        this.addItems(this.popMarked());
        break;
      case 0x71: // BINPUT
        this.remember(cursor.u8());
        break;
      case 0x72: // LONG_BINPUT
        this.remember(cursor.u32());
        break;
      case 0x94: // MEMOIZE
        this.remember(this.memo.length);
        break;
      case 0x68: // BINGET
        stack.push(this.recall(cursor.u8()));
        break;
      case 0x6a: // LONG_BINGET
        stack.push(this.recall(cursor.u32()));
        break;
      case 0x63: // GLOBAL
        stack.push(this.global(cursor.line(), cursor.line()));
        break;
      case 0x93: {
        // STACK_GLOBAL
        const name = this.popText();
        stack.push(this.global(this.popText(), name));
        break;
      }
      case 0x51: // BINPERSID
        stack.push(this.host.persistent(this.pop()));
        break;
      case 0x52: // REDUCE
      case 0x81: {
        // NEWOBJ
        const args = this.pop();
        stack.push(this.call(this.pop(), args));
        break;
      }
      case 0x92: {
        // NEWOBJ_EX: with arguments by name, which say nothing here.
        this.pop();
        const args = this.pop();
        stack.push(this.call(this.pop(), args));
        break;
      }
      case 0x62: // BUILD
        this.build();
        break;
      default:
        throw new FormatError(
          `opcode 0x${code.toString(16).padStart(2, '0')} at byte ${at} of the pickle is none that torch.save writes: the file is damaged, or no checkpoint`,
        );
    }
    return false;
  }
}
