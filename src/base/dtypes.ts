/** Number formats of tensors in files, by PyTorch's names, and how each becomes float32. Files are little-endian. */

const wide = (array: BigInt64Array | BigUint64Array) => Float32Array.from(array, Number);
/** A bfloat16 is the upper half of a float32. */
const brain = (array: Uint16Array) => new Float32Array(Uint32Array.from(array, (bits) => bits << 16).buffer);

/** Bytes per number, and the conversion of bytes that begin a buffer of their own. */
const formats = {
  float64: { bytes: 8, floats: (buffer: ArrayBuffer) => Float32Array.from(new Float64Array(buffer)) },
  float32: { bytes: 4, floats: (buffer: ArrayBuffer) => new Float32Array(buffer) },
  float16: { bytes: 2, floats: (buffer: ArrayBuffer) => Float32Array.from(new Float16Array(buffer)) },
  bfloat16: { bytes: 2, floats: (buffer: ArrayBuffer) => brain(new Uint16Array(buffer)) },
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

/** Bytes of one number. */
export const bytesPerNumber = (format: NumberFormat): number => formats[format].bytes;

/** Numbers of a format as float32: rounded to the nearest, without a warning where the format holds more. `bytes` are not kept. */
export function toFloat32(format: NumberFormat, bytes: Uint8Array): Float32Array {
  const own = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
  return formats[format].floats((own ? bytes.buffer : bytes.slice().buffer) as ArrayBuffer);
}
