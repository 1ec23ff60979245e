/** Number formats of tensors in files, by PyTorch's names, and how each becomes float32. Files are little-endian. */

const wide = (array: BigInt64Array | BigUint64Array) => Float32Array.from(array, Number);
/** A bfloat16 is the upper half of a float32. */
const brain = (array: Uint16Array) => new Float32Array(Uint32Array.from(array, (bits) => bits << 16).buffer);

/** How a number of 8 bits is cut: sign, exponent, mantissa; and which of its codes are no numbers. */
interface Float8 {
  mantissa: number;
  bias: number;
  /** Whether the highest exponent means infinities and NaN, as in IEEE 754; else `nan` are the codes of NaN. */
  ieee: boolean;
  nan: readonly number[];
}

/** The value of every code of a format of 8 bits. */
function float8Table({ mantissa, bias, ieee, nan }: Float8): Float32Array {
  return Float32Array.from({ length: 256 }, (_, code) => {
    if (nan.includes(code)) return Number.NaN;
    const sign = code & 0x80 ? -1 : 1;
    const exponent = (code & 0x7f) >> mantissa;
    const fraction = (code & ((1 << mantissa) - 1)) / 2 ** mantissa;
    if (ieee && exponent === (1 << (7 - mantissa)) - 1) return fraction === 0 ? sign * Infinity : Number.NaN;
    return sign * (exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias));
  });
}

const float8 = (format: Float8) => {
  const table = float8Table(format);
  return {
    bytes: 1,
    floats: (buffer: ArrayBuffer) =>
      Float32Array.from(new Uint8Array(buffer), (code) => table[code] as number),
  };
};

/** Bytes per number, and the conversion of bytes that begin a buffer of their own. */
const formats = {
  float64: { bytes: 8, floats: (buffer: ArrayBuffer) => Float32Array.from(new Float64Array(buffer)) },
  float32: { bytes: 4, floats: (buffer: ArrayBuffer) => new Float32Array(buffer) },
  float16: { bytes: 2, floats: (buffer: ArrayBuffer) => Float32Array.from(new Float16Array(buffer)) },
  bfloat16: { bytes: 2, floats: (buffer: ArrayBuffer) => brain(new Uint16Array(buffer)) },
  // Micikevicius et al. 2022, Table 1; `uz` as in Noune et al. 2022, with one zero and no infinities.
  float8_e4m3fn: float8({ mantissa: 3, bias: 7, ieee: false, nan: [0x7f, 0xff] }),
  float8_e5m2: float8({ mantissa: 2, bias: 15, ieee: true, nan: [] }),
  float8_e4m3fnuz: float8({ mantissa: 3, bias: 8, ieee: false, nan: [0x80] }),
  float8_e5m2fnuz: float8({ mantissa: 2, bias: 16, ieee: false, nan: [0x80] }),
  int64: { bytes: 8, floats: (buffer: ArrayBuffer) => wide(new BigInt64Array(buffer)) },
  int32: { bytes: 4, floats: (buffer: ArrayBuffer) => Float32Array.from(new Int32Array(buffer)) },
  int16: { bytes: 2, floats: (buffer: ArrayBuffer) => Float32Array.from(new Int16Array(buffer)) },
  int8: { bytes: 1, floats: (buffer: ArrayBuffer) => Float32Array.from(new Int8Array(buffer)) },
  uint64: { bytes: 8, floats: (buffer: ArrayBuffer) => wide(new BigUint64Array(buffer)) },
  uint32: { bytes: 4, floats: (buffer: ArrayBuffer) => Float32Array.from(new Uint32Array(buffer)) },
  uint16: { bytes: 2, floats: (buffer: ArrayBuffer) => Float32Array.from(new Uint16Array(buffer)) },
  uint8: { bytes: 1, floats: (buffer: ArrayBuffer) => Float32Array.from(new Uint8Array(buffer)) },
  bool: { bytes: 1, floats: (buffer: ArrayBuffer) => Float32Array.from(new Uint8Array(buffer)) },
} as const;

/** A format that can be read, by PyTorch's name. */
export type NumberFormat = keyof typeof formats;

export const numberFormats = Object.keys(formats) as NumberFormat[];

/** Whether its numbers are whole. */
export const isWhole = (format: NumberFormat): boolean => !format.includes('float');

/** Bytes of one number. */
export const bytesPerNumber = (format: NumberFormat): number => formats[format].bytes;

/** Numbers of a format as float32: rounded to the nearest, without a warning where the format holds more. `bytes` are not kept. */
export function toFloat32(format: NumberFormat, bytes: Uint8Array): Float32Array {
  const own = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
  return formats[format].floats((own ? bytes.buffer : bytes.slice().buffer) as ArrayBuffer);
}
