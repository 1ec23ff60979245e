import type { Pointer } from 'bun:ffi';
import { tf } from '../tf.ts';
import type { Library } from './functions.ts';
import { type Block, type Memory, Pool } from './memory.ts';

const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;
type NumberType = keyof typeof arrays;

const isNumberType = (dtype: tf.DataType): dtype is NumberType => dtype in arrays;

/** C counts numbers in 32 bits. */
const maxNumbers = 2 ** 31 - 1;

/** The data of a tensor: numbers lie in a block of their own, strings are kept as they come. */
class TensorData {
  refCount: number;
  readonly dtype: tf.DataType;
  readonly block: Block | undefined;
  /** tfjs's cpu kernels look for the parts of complex numbers here. */
  complexTensorInfos: { real: tf.TensorInfo; imag: tf.TensorInfo } | undefined;
  private readonly length: number;
  private contents: tf.backend_util.BackendValues | undefined;

  constructor(
    dtype: tf.DataType,
    length: number,
    refCount: number,
    block: Block | undefined,
    strings?: tf.backend_util.BackendValues,
  ) {
    this.dtype = dtype;
    this.length = length;
    this.refCount = refCount;
    this.block = block;
    this.contents = strings;
  }

  /** The block's numbers as the typed array that tfjs's cpu kernels read. */
  get values(): tf.backend_util.BackendValues | undefined {
    if (!this.contents && this.block && isNumberType(this.dtype)) {
      this.contents = new arrays[this.dtype](this.block.buffer, this.block.offset, this.length);
    }
    return this.contents;
  }
}

/**
 * A tfjs back end whose tensors lie in memory that C computes on, for the devices native and wasm. It has the members that tfjs's cpu kernels expect of theirs
 * (`data`, `makeTensorInfo` and so on), so that they work on it unchanged. All data that comes in is copied.
 */
export class NativeBackend extends tf.KernelBackend {
  readonly data: tf.DataStorage<TensorData>;
  readonly blockSize = 48; // for the cpu kernels
  readonly pool: Pool;
  readonly library: Library;

  constructor(library: Library, memory: Memory) {
    super();
    this.library = library;
    this.pool = new Pool(memory);
    this.data = new tf.DataStorage(this, tf.engine());
  }

  /** A new tensor, content arbitrary. */
  allocate(shape: number[], dtype: NumberType = 'float32'): tf.TensorInfo {
    const dataId = {};
    this.store(dataId, tf.util.sizeFromShape(shape), dtype, 1);
    return { dataId, shape, dtype };
  }

  /** Where the numbers of a tensor begin. */
  address({ dataId }: tf.TensorInfo): Pointer {
    const { block } = this.data.get(dataId);
    if (!block) throw new Error('The kernels compute with numbers only; this tensor holds others.');
    return block.address;
  }

  /** The same data under another shape or as another tensor; it lives until all of them are disposed of. */
  share(x: tf.TensorInfo, shape = x.shape): tf.TensorInfo {
    this.incRef(x.dataId);
    return { dataId: x.dataId, shape, dtype: x.dtype };
  }

  /** Frees tensors that a kernel made for itself. */
  release(...tensors: tf.TensorInfo[]): void {
    for (const { dataId } of tensors) this.disposeData(dataId);
  }

  makeTensorInfo(
    shape: number[],
    dtype: tf.DataType,
    values?: tf.backend_util.BackendValues | string[],
  ): tf.TensorInfo {
    const encoded =
      dtype === 'string' && values && tf.util.isString(values[0] as string)
        ? (values as string[]).map((text) => tf.util.encodeString(text))
        : (values as tf.backend_util.BackendValues);
    return { dataId: this.write(encoded, shape, dtype), shape, dtype };
  }

  override write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): object {
    const dataId = {};
    this.move(dataId, values, shape, dtype, 1);
    return dataId;
  }

  override move(
    dataId: object,
    values: tf.backend_util.BackendValues | undefined,
    shape: number[],
    dtype: tf.DataType,
    refCount: number,
  ): void {
    if (!isNumberType(dtype)) {
      this.data.set(dataId, new TensorData(dtype, 0, refCount, undefined, values));
      return;
    }
    const data = this.store(dataId, values?.length ?? tf.util.sizeFromShape(shape), dtype, refCount);
    if (values) (data.values as tf.TypedArray).set(values as tf.TypedArray);
  }

  private store(dataId: object, length: number, dtype: NumberType, refCount: number): TensorData {
    if (length > maxNumbers) {
      throw new RangeError(
        `A tensor of ${length} numbers is too large for the kernels, which count to ${maxNumbers}. Use smaller batches.`,
      );
    }
    const block = this.pool.take(length * arrays[dtype].BYTES_PER_ELEMENT);
    const data = new TensorData(dtype, length, refCount, block);
    this.data.set(dataId, data);
    return data;
  }

  /** A copy of the numbers: the block may be used for others later. */
  override readSync(dataId: object): tf.backend_util.BackendValues {
    const { dtype, values, complexTensorInfos } = this.data.get(dataId);
    if (complexTensorInfos) {
      const { real, imag } = complexTensorInfos;
      const parts = [real, imag].map(({ dataId }) => this.readSync(dataId) as Float32Array);
      return tf.backend_util.mergeRealAndImagArrays(parts[0] as Float32Array, parts[1] as Float32Array);
    }
    return isNumberType(dtype) ? (values as tf.TypedArray).slice() : (values as Uint8Array[]);
  }

  override async read(dataId: object): Promise<tf.backend_util.BackendValues> {
    return this.readSync(dataId);
  }

  bufferSync({ dataId, shape, dtype }: tf.TensorInfo): tf.TensorBuffer<tf.Rank, tf.DataType> {
    const values = this.readSync(dataId);
    const decoded =
      dtype === 'string' ? (values as Uint8Array[]).map((bytes) => tf.util.decodeString(bytes)) : values;
    return tf.buffer(shape as [number], dtype, decoded as tf.TypedArray);
  }

  makeOutput(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): tf.Tensor {
    return tf.engine().makeTensorFromTensorInfo(this.makeTensorInfo(shape, dtype, values), this);
  }

  override refCount(dataId: object): number {
    return this.data.has(dataId) ? this.data.get(dataId).refCount : 0;
  }

  override incRef(dataId: object): void {
    this.data.get(dataId).refCount++;
  }

  override disposeData(dataId: object, force = false): boolean {
    if (!this.data.has(dataId)) return true;
    const data = this.data.get(dataId);
    data.refCount--;
    if (!force && data.refCount > 0) return false;
    if (data.complexTensorInfos) {
      const { real, imag } = data.complexTensorInfos;
      for (const part of [real, imag]) this.disposeData(part.dataId, true);
    }
    this.data.delete(dataId);
    if (data.block) this.pool.give(data.block);
    return true;
  }

  disposeIntermediateTensorInfo({ dataId }: tf.TensorInfo): void {
    this.disposeData(dataId);
  }

  override numDataIds(): number {
    return this.data.numDataIds();
  }

  override async time(f: () => void): Promise<tf.BackendTimingInfo> {
    const start = performance.now();
    f();
    return { kernelMs: performance.now() - start, getExtraProfileInfo: () => '' };
  }

  override memory(): { unreliable: boolean; reasons: string[] } {
    return { unreliable: false, reasons: [] };
  }

  override floatPrecision(): 32 {
    return 32;
  }

  override dispose(): void {}
}
