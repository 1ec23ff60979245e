/**
 * Reads pickles and runs nothing: a stack machine for the part of Python's pickle protocols 2 to 5 that plain data and state dicts
 * use. Every global that a pickle names is looked up with the caller, who refuses what it does not know.
 */
import { Cursor, FormatError } from '../../base/source.ts';

/**
 * What a pickle may hold: null, booleans, numbers, bigints, strings, Uint8Array, arrays (of lists and tuples), Map (of dicts), Set, and
 * whatever the host makes.
 */
export interface PickleHost {
  /** What stands for a global. Throws if it is not allowed. */
  global(module: string, name: string): unknown;
  /** What stands for a persistent id. Throws if there is none. */
  persistent(id: unknown): unknown;
}

/** A global that may be called, by our code in its place. */
export class Callable {
  constructor(
    readonly name: string,
    readonly call: (...args: unknown[]) => unknown,
  ) {}
}

/** Far more than the largest state dict needs; each step makes one value at most, so this bounds the memory too. */
const maxSteps = 500_000;
const maxDigits = 256;
const maxArguments = 32;

const mark = Symbol('mark');

/** The value of the pickle that begins at `start`, and where it ends. Throws a FormatError for anything else. */
export function unpickle(bytes: Uint8Array, host: PickleHost, start = 0): { value: unknown; end: number } {
  const machine = new Machine(new Cursor(bytes, start), host);
  for (let step = 0; step < maxSteps; step++) {
    if (machine.step()) return { value: machine.pop(), end: machine.cursor.at };
  }
  throw new FormatError(`the pickle has more than ${maxSteps} steps; state dicts have a few thousand`);
}

class Machine {
  private readonly stack: unknown[] = [];
  private readonly memo = new Map<number, unknown>();

  constructor(
    readonly cursor: Cursor,
    private readonly host: PickleHost,
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

  private text = (length: number) => Buffer.from(this.cursor.take(length)).toString('utf8');

  /** A little-endian integer in two's complement. */
  private integer(length: number): number | bigint {
    const bytes = this.cursor.take(length);
    if (length > maxDigits) throw new FormatError(`the pickle has an integer of ${length} bytes`);
    if (length === 0) return 0;
    const value = BigInt.asIntN(8 * length, BigInt(`0x${Buffer.from(bytes.toReversed()).toString('hex')}`));
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  private call(target: unknown, args: unknown): unknown {
    if (!(target instanceof Callable))
      throw new FormatError('the pickle calls something that is no function');
    if (!Array.isArray(args))
      throw new FormatError(`the pickle calls ${target.name} with something that is no tuple`);
    if (args.length > maxArguments)
      throw new FormatError(`the pickle calls ${target.name} with ${args.length} arguments`);
    return target.call(...args);
  }

  private remember(index: number): void {
    this.memo.set(index, this.top());
  }

  private recall(index: number): unknown {
    if (!this.memo.has(index))
      throw new FormatError(`the pickle recalls value ${index}, which it has not kept`);
    return this.memo.get(index);
  }

  private setItems(pairs: unknown[]): void {
    const target = this.top();
    if (!(target instanceof Map) || pairs.length % 2 !== 0)
      throw new FormatError('the pickle sets items of something that is no dict');
    for (let i = 0; i < pairs.length; i += 2) target.set(pairs[i], pairs[i + 1]);
  }

  private append(values: unknown[]): void {
    const target = this.top();
    if (!Array.isArray(target)) throw new FormatError('the pickle appends to something that is no list');
    for (const value of values) target.push(value);
  }

  private addItems(values: unknown[]): void {
    const target = this.top();
    if (!(target instanceof Set)) throw new FormatError('the pickle adds to something that is no set');
    for (const value of values) target.add(value);
  }

  /** Attributes of an ordered dict (`_metadata` of state dicts) say nothing that is needed; other objects do not occur. */
  private build(): void {
    this.pop();
    if (!(this.top() instanceof Map))
      throw new FormatError('the pickle sets attributes of something that is no ordered dict');
  }

  /** Carries out the next opcode. True at the end of the pickle. */
  step(): boolean {
    const { cursor, stack } = this;
    const at = cursor.at;
    const code = cursor.u8();
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
      case 0x8c: // SHORT_BINUNICODE
        stack.push(this.text(cursor.u8()));
        break;
      case 0x54: // BINSTRING, of Python 2
      case 0x58: // BINUNICODE
        stack.push(this.text(cursor.u32()));
        break;
      case 0x8d: // BINUNICODE8
        stack.push(this.text(cursor.u64()));
        break;
      case 0x43: // SHORT_BINBYTES
        stack.push(cursor.take(cursor.u8()));
        break;
      case 0x42: // BINBYTES
        stack.push(cursor.take(cursor.u32()));
        break;
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        stack.push(cursor.take(cursor.u64()));
        break;
      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
        stack.push([]);
        break;
      case 0x7d: // EMPTY_DICT
        stack.push(new Map());
        break;
      case 0x8f: // EMPTY_SET
        stack.push(new Set());
        break;
      case 0x74: // TUPLE
        stack.push(this.popMarked());
        break;
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        stack.push(this.popTuple(code - 0x84));
        break;
      case 0x91: // FROZENSET
        stack.push(new Set(this.popMarked()));
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
        this.remember(this.memo.size);
        break;
      case 0x68: // BINGET
        stack.push(this.recall(cursor.u8()));
        break;
      case 0x6a: // LONG_BINGET
        stack.push(this.recall(cursor.u32()));
        break;
      case 0x63: // GLOBAL
        stack.push(this.host.global(cursor.line(), cursor.line()));
        break;
      case 0x93: {
        // STACK_GLOBAL
        const name = this.popText();
        stack.push(this.host.global(this.popText(), name));
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
