/**
 * Matrix products through XNNPACK. tfjs calls it only for one product of two matrices as they lie, and computes every other
 * one (transposed sides, batches), ten times slower, in plain loops. Here sides are transposed first and batches go one by
 * one, each as a tensor that lies within the batch's memory, so that nothing is copied.
 */
import { tf } from '../tf.ts';
import { allocate, type BackendWasm, free, views, type WasmKernel } from './kernel.ts';
import { transpose } from './transpose.ts';

/** tfjs's identities of the three matrices of one product; far above those that the back end counts up to. */
const [leftId, rightId, outId] = [0x7ffffff0, 0x7ffffff1, 0x7ffffff2];

/** A place on the heap, in bytes. */
type Address = number;

/** The back end's own matrix product: identity, address and length of the shape of each side, whether transposed, result. */
type Product = (
  ...args: [
    ...[left: number, leftShape: Address, leftRank: number],
    ...[right: number, rightShape: Address, rightRank: number],
    ...[transposeLeft: number, transposeRight: number, out: number],
  ]
) => void;

/** `count` products: left [m, k] times right [k, n] to out [m, n]; the addresses are functions of the product's number. */
export interface Products {
  count: number;
  m: number;
  k: number;
  n: number;
  left: (index: number) => Address;
  right: (index: number) => Address;
  out: (index: number) => Address;
}

/** Computes products of matrices on the heap. */
export function multiply(backend: BackendWasm, { count, m, k, n, left, right, out }: Products): void {
  const { registerTensor, disposeData } = backend.wasm.tfjs;
  // tfjs's types leave out what Emscripten itself puts on the module.
  const module = backend.wasm as unknown as {
    cwrap: (name: string, result: null, types: string[]) => Product;
  };
  const product = module.cwrap('BatchMatMul', null, Array(9).fill('number'));
  const shapes = backend.makeOutput([6], 'int32', undefined, Int32Array.of(1, m, k, 1, k, n));
  const leftShape = backend.getMemoryOffset(shapes.dataId);
  const rightShape = leftShape + 3 * Int32Array.BYTES_PER_ELEMENT;
  for (let index = 0; index < count; index++) {
    registerTensor(leftId, m * k, left(index));
    registerTensor(rightId, k * n, right(index));
    registerTensor(outId, m * n, out(index));
    product(leftId, leftShape, 3, rightId, rightShape, 3, 0, 0, outId);
    // XNNPACK keeps the right side repacked under its identity until that is disposed of.
    for (const id of [leftId, rightId, outId]) disposeData(id);
  }
  free(backend, shapes);
}

/** Addresses of equal matrices of `size` numbers that lie one after the other from a tensor's start on. */
export function consecutive(
  backend: BackendWasm,
  tensor: tf.TensorInfo,
  size: number,
): (index: number) => Address {
  const start = backend.getMemoryOffset(tensor.dataId);
  return (index) => start + index * size * Float32Array.BYTES_PER_ELEMENT;
}

/** tfjs's BatchMatMul: a [..., m, k] and b [..., k, n], each possibly transposed, the leading axes broadcast. */
export const batchMatMul: WasmKernel = ({ a, b }, backend, { transposeA, transposeB }) => {
  if (!a || !b || a.dtype !== 'float32' || b.dtype !== 'float32') {
    throw new Error(
      'A matrix product on the wasm device takes float32 tensors; cast the others with tf.cast first.',
    );
  }
  const [aRows, aColumns] = a.shape.slice(-2) as [number, number];
  const [bRows, bColumns] = b.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
  const [inner, n] = transposeB ? [bColumns, bRows] : [bRows, bColumns];
  if (k !== inner) {
    throw new Error(
      `A matrix product of [${a.shape}] and [${b.shape}] has unequal inner sizes ${k} and ${inner}.`,
    );
  }
  const batch = tf.backend_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const count = tf.util.sizeFromShape(batch);
  const out = allocate(backend, [...batch, m, n]);
  if (count * m * n === 0) return out;
  if (k === 0) {
    views(backend, out)[0].fill(0);
    return out;
  }
  const aIndex = broadcastIndex(a.shape.slice(0, -2), batch);
  const bIndex = broadcastIndex(b.shape.slice(0, -2), batch);

  // (a^T b) = (b^T a)^T: XNNPACK repacks its right side at about four times the cost of a transposition.
  if (transposeA && !transposeB && 3 * k * (n - m) > m * n) {
    const left = transposedCopy(backend, b);
    const swapped = allocate(backend, [...batch, n, m]);
    multiply(backend, {
      ...{ count, m: n, k, n: m },
      left: at(consecutive(backend, left, n * k), bIndex),
      right: at(consecutive(backend, a, k * m), aIndex),
      out: consecutive(backend, swapped, n * m),
    });
    const [from, to] = views(backend, swapped, out);
    for (let i = 0; i < count; i++) transpose(from, i * n * m, n, m, to, i * n * m);
    free(backend, left, swapped);
    return out;
  }

  const left = transposeA ? transposedCopy(backend, a) : a;
  const right = transposeB ? transposedCopy(backend, b) : b;
  multiply(backend, {
    ...{ count, m, k, n },
    left: at(consecutive(backend, left, m * k), aIndex),
    right: at(consecutive(backend, right, k * n), bIndex),
    out: consecutive(backend, out, m * n),
  });
  if (transposeA) free(backend, left);
  if (transposeB) free(backend, right);
  return out;
};

/** A copy of x [..., r, c] with the last two axes exchanged. */
function transposedCopy(backend: BackendWasm, x: tf.TensorInfo): tf.TensorInfo {
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const copy = allocate(backend, [...x.shape.slice(0, -2), columns, rows]);
  const [from, to] = views(backend, x, copy);
  for (let start = 0; start < from.length; start += rows * columns) {
    transpose(from, start, rows, columns, to, start);
  }
  return copy;
}

function at(address: (index: number) => Address, index: (i: number) => number): (i: number) => Address {
  return (i) => address(index(i));
}

/** Maps the number of an element of `shape` to that of the element of `from` which broadcasting puts there. */
function broadcastIndex(from: number[], shape: number[]): (index: number) => number {
  const sizes = shape.map((_, axis) => from[axis - (shape.length - from.length)] ?? 1);
  if (sizes.every((size, axis) => size === shape[axis])) return (index) => index;
  return (index) => {
    let rest = index;
    let result = 0;
    let stride = 1;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const size = sizes[axis] as number;
      const coordinate = rest % (shape[axis] as number);
      rest = Math.floor(rest / (shape[axis] as number));
      if (size > 1) result += coordinate * stride;
      stride *= size;
    }
    return result;
  };
}
