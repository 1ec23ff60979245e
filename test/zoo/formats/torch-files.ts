/** Writes files of torch.save opcode by opcode, also such as PyTorch would not write. Knows nothing of the product's reader and writer. */
import { crc32 } from 'node:zlib';

export type Bytes = Uint8Array;
const raw = (...values: number[]) => Uint8Array.from(values);
export const text = (value: string) => new TextEncoder().encode(value);
export const join = (...parts: Bytes[]): Bytes => new Uint8Array(Buffer.concat(parts));
const u32 = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
const u64 = (value: number) => new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);

/** Pieces of a pickle that leave one value on the stack. */
export const global = (module: string, name: string) => text(`c${module}\n${name}\n`);
export const string = (value: string) => join(text('X'), u32(text(value).length), text(value));
/** BININT, or LONG1 for what does not fit in it. */
export const int = (value: number) =>
  Math.abs(value) < 2 ** 31
    ? join(text('J'), new Uint8Array(Int32Array.of(value).buffer))
    : join(raw(0x8a, 8), new Uint8Array(BigInt64Array.of(BigInt(value)).buffer));
export const none = text('N');
export const tuple = (...values: Bytes[]) => join(text('('), ...values, text('t'));
export const list = (...values: Bytes[]) => join(text(']('), ...values, text('e'));
export const reduce = (callable: Bytes, ...args: Bytes[]) => join(callable, tuple(...args), text('R'));
export const dict = (entries: Record<string, Bytes>) =>
  join(text('}('), ...Object.entries(entries).flatMap(([name, value]) => [string(name), value]), text('u'));
export const orderedDict = (entries: Record<string, Bytes>) =>
  join(
    reduce(global('collections', 'OrderedDict')),
    text('('),
    ...Object.entries(entries).flatMap(([name, value]) => [string(name), value]),
    text('u'),
    // As state dicts have it: attributes beside the items.
    dict({ _metadata: reduce(global('collections', 'OrderedDict')) }),
    text('b'),
  );
export const pickle = (value: Bytes) => join(raw(0x80, 2), value, text('.'));

export interface TensorArguments {
  type?: string;
  key?: string;
  /** Numbers of the storage. */
  size: number;
  offset?: number;
  shape: number[];
  strides: number[];
  view?: Bytes;
}

/** A tensor as torch.save names it. `view` (or its absence) is the last part of the persistent id in the older format. */
export function tensor({
  type = 'FloatStorage',
  key = '0',
  size,
  offset = 0,
  shape,
  strides,
  view,
}: TensorArguments): Bytes {
  const id = tuple(
    string('storage'),
    global('torch', type),
    string(key),
    string('cpu'),
    int(size),
    ...(view ? [view] : []),
  );
  return reduce(
    global('torch._utils', '_rebuild_tensor_v2'),
    join(id, text('Q')),
    int(offset),
    tuple(...shape.map(int)),
    tuple(...strides.map(int)),
    raw(0x89),
    reduce(global('collections', 'OrderedDict')),
  );
}

export interface Member {
  name: string;
  data: Bytes;
  method?: number;
  flags?: number;
  crc?: number;
  /** What the directory says of its size. */
  size?: number;
  /** Sizes and place in a ZIP64 field. */
  zip64?: boolean;
}

/** A zip archive of members as they are. */
export function zip(members: Member[], { zip64 = false, count = members.length } = {}): Bytes {
  const parts: Bytes[] = [];
  const directory: Bytes[] = [];
  let at = 0;
  const u16 = (value: number) => raw(value & 255, value >> 8);
  for (const {
    name,
    data,
    method = 0,
    flags = 0,
    crc = crc32(data),
    size = data.length,
    zip64: wide,
  } of members) {
    const common = join(u16(20), u16(flags), u16(method), u32(0), u32(crc));
    const local = join(
      text('PK\x03\x04'),
      common,
      u32(size),
      u32(size),
      u16(text(name).length),
      u16(3),
      text(name),
      raw(1, 2, 3),
    );
    const field = wide
      ? join(u16(0x9999), u16(2), u16(0), u16(1), u16(24), u64(size), u64(size), u64(at))
      : raw();
    const [bytes, place] = wide ? [0xffffffff, 0xffffffff] : [size, at];
    const lengths = join(u16(text(name).length), u16(field.length), u16(0));
    directory.push(
      join(
        text('PK\x01\x02'),
        u16(20),
        common,
        u32(bytes),
        u32(bytes),
        lengths,
        raw(0, 0, 0, 0, 0, 0, 0, 0),
        u32(place),
        text(name),
        field,
      ),
    );
    parts.push(local, data);
    at += local.length + data.length;
  }
  const central = join(...directory);
  const end64 = join(
    text('PK\x06\x06'),
    u64(44),
    u16(20),
    u16(20),
    u32(0),
    u32(0),
    u64(count),
    u64(count),
    u64(central.length),
    u64(at),
  );
  const locator = join(text('PK\x06\x07'), u32(0), u64(at + central.length), u32(1));
  const small = (value: number, limit: number) => (zip64 ? limit : value);
  const end = join(
    text('PK\x05\x06'),
    u32(0),
    ...[
      u16(small(count, 0xffff)),
      u16(small(count, 0xffff)),
      u32(small(central.length, 0xffffffff)),
      u32(small(at, 0xffffffff)),
      u16(0),
    ],
  );
  return join(...parts, central, ...(zip64 ? [end64, locator] : []), end);
}

/** A checkpoint of torch.save's zip format. */
export function torchZip(
  root: Bytes,
  storages: Record<string, Bytes>,
  options: { byteorder?: string; extra?: Member[]; zip64?: boolean } = {},
): Bytes {
  const members: Member[] = [
    { name: 'net/data.pkl', data: pickle(root) },
    { name: 'net/byteorder', data: text(options.byteorder ?? 'little') },
    ...Object.entries(storages).map(([key, data]) => ({ name: `net/data/${key}`, data })),
    { name: 'net/version', data: text('3\n') },
    ...(options.extra ?? []),
  ];
  const zip64 = options.zip64 ?? false;
  return zip(
    members.map((member) => ({ ...member, zip64 })),
    { zip64 },
  );
}

const magic = raw(0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e);

/** A checkpoint of torch.save's older format. `storages`: key, count of numbers, bytes. */
export function torchLegacy(
  root: Bytes,
  storages: [key: string, count: number, data: Bytes][],
  { little = true } = {},
): Bytes {
  return join(
    magic,
    pickle(int(1001)),
    pickle(dict({ protocol_version: int(1001), little_endian: raw(little ? 0x88 : 0x89) })),
    pickle(root),
    pickle(list(...storages.map(([key]) => string(key)))),
    ...storages.flatMap(([, count, data]) => [u64(count), data]),
  );
}

export const floats = (...values: number[]): Bytes => new Uint8Array(Float32Array.from(values).buffer);
