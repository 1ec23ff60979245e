/** Kernels that only move numbers. */
import { sizeOf } from '../../../base/shape.ts';
import { tf } from '../../tf.ts';
import type { Inputs, NativeBackend, NativeKernel, NativeKernels } from '../kernel.ts';
import { copyStrided, stridesOf } from '../strided.ts';

type NumberType = 'float32' | 'int32' | 'bool';

/** Any numbers, all inputs of one type. */
function sameNumbers(inputs: Inputs): boolean {
  const types = new Set(Object.values(inputs).map(({ dtype }) => dtype));
  return types.size === 1 && !types.has('complex64') && !types.has('string');
}

function allocateLike(backend: NativeBackend, x: tf.TensorInfo, shape: number[]): tf.TensorInfo {
  return backend.allocate(shape, x.dtype as NumberType);
}

const dot = (a: number[], b: number[]) => a.reduce((sum, number, i) => sum + number * (b[i] as number), 0);

/** x with its axes in the order of `perm`, as a tensor of its own. */
export function transposed(backend: NativeBackend, x: tf.TensorInfo, perm: number[]): tf.TensorInfo {
  const shape = perm.map((axis) => x.shape[axis] as number);
  const y = allocateLike(backend, x, shape);
  const strides = stridesOf(x.shape);
  const from = { tensor: x, strides: perm.map((axis) => strides[axis] as number) };
  copyStrided(backend, shape, from, { tensor: y, strides: stridesOf(shape) });
  return y;
}

const transpose: NativeKernel = {
  accepts: sameNumbers,
  run: ({ x }, backend, { perm }) => transposed(backend, x as tf.TensorInfo, perm as number[]),
};

function sliced(backend: NativeBackend, x: tf.TensorInfo, begin: number[], size: number[]): tf.TensorInfo {
  const y = allocateLike(backend, x, size);
  const strides = stridesOf(x.shape);
  const from = { tensor: x, first: dot(begin, strides), strides };
  copyStrided(backend, size, from, { tensor: y, strides: stridesOf(size) });
  return y;
}

const slice: NativeKernel = {
  accepts: sameNumbers,
  run(inputs, backend, attributes) {
    const x = inputs.x as tf.TensorInfo;
    const { begin, size } = attributes as { begin: number | number[]; size: number | number[] };
    const [start, length] = tf.slice_util.parseSliceParams(x as tf.Tensor, begin, size);
    tf.slice_util.assertParamsValid(x as tf.Tensor, start as number[], length as number[]);
    return sliced(backend, x, start as number[], length as number[]);
  },
};

const splitV: NativeKernel = {
  accepts: sameNumbers,
  run(inputs, backend, attributes) {
    const x = inputs.x as tf.TensorInfo;
    const { numOrSizeSplits, axis } = attributes as { numOrSizeSplits: number | number[]; axis: number };
    const along = tf.util.parseAxisParam(axis, x.shape)[0] as number;
    const sizes = tf.backend_util.prepareSplitSize(x as tf.Tensor, numOrSizeSplits, along);
    const begin = x.shape.map(() => 0);
    const parts = sizes.map((length) => {
      const part = sliced(
        backend,
        x,
        begin,
        x.shape.map((size, i) => (i === along ? length : size)),
      );
      begin[along] = (begin[along] as number) + length;
      return part;
    });
    return parts as [tf.TensorInfo, ...tf.TensorInfo[]];
  },
};

const concat: NativeKernel = {
  accepts: sameNumbers,
  run(inputs, backend, { axis }) {
    const parts = Object.values(inputs);
    const shapes = parts.map(({ shape }) => shape);
    const along = tf.util.parseAxisParam(axis as number, shapes[0] as number[])[0] as number;
    tf.backend_util.assertParamsConsistent(shapes, along);
    const y = allocateLike(
      backend,
      parts[0] as tf.TensorInfo,
      tf.backend_util.computeOutShape(shapes, along),
    );
    const strides = stridesOf(y.shape);
    let first = 0;
    for (const part of parts) {
      const from = { tensor: part, strides: stridesOf(part.shape) };
      copyStrided(backend, part.shape, from, { tensor: y, first, strides });
      first += (part.shape[along] as number) * (strides[along] as number);
    }
    return y;
  },
};

const pad: NativeKernel = {
  run(inputs, backend, attributes) {
    const x = inputs.x as tf.TensorInfo;
    const { paddings, constantValue } = attributes as { paddings: [number, number][]; constantValue: number };
    const shape = x.shape.map((size, axis) => {
      const [before, after] = paddings[axis] as [number, number];
      return before + size + after;
    });
    const y = backend.allocate(shape);
    backend.library.fill(backend.address(y), sizeOf(shape), constantValue);
    const strides = stridesOf(shape);
    const first = dot(
      paddings.map(([before]) => before),
      strides,
    );
    copyStrided(backend, x.shape, { tensor: x, strides: stridesOf(x.shape) }, { tensor: y, first, strides });
    return y;
  },
};

const tile: NativeKernel = {
  accepts: sameNumbers,
  run(inputs, backend, attributes) {
    const x = inputs.x as tf.TensorInfo;
    const repetitions = attributes.reps as number[];
    const shape = x.shape.map((size, axis) => size * (repetitions[axis] as number));
    const y = allocateLike(backend, x, shape);
    // Two axes for each: the repetition, along which x stands still, and the place within it.
    const strides = stridesOf(x.shape).flatMap((stride) => [0, stride]);
    const split = x.shape.flatMap((size, axis) => [repetitions[axis] as number, size]);
    copyStrided(backend, split, { tensor: x, strides }, { tensor: y, strides: stridesOf(split) });
    return y;
  },
};

const reverse: NativeKernel = {
  accepts: sameNumbers,
  run(inputs, backend, { dims }) {
    const x = inputs.x as tf.TensorInfo;
    const axes = tf.util.parseAxisParam(dims as number | number[], x.shape);
    const y = allocateLike(backend, x, x.shape);
    const strides = stridesOf(x.shape);
    const turned = strides.map((stride, axis) => (axes.includes(axis) ? -stride : stride));
    const last = x.shape.map((size, axis) => (axes.includes(axis) ? size - 1 : 0));
    const from = { tensor: x, first: dot(last, strides), strides: turned };
    copyStrided(backend, x.shape, from, { tensor: y, strides });
    return y;
  },
};

const gather: NativeKernel = {
  accepts: ({ x, indices }, { axis, batchDims }) =>
    x?.dtype === 'float32' && indices?.dtype === 'int32' && axis === 0 && (batchDims ?? 0) === 0,
  run(inputs, backend) {
    const { x, indices } = inputs as Record<'x' | 'indices', tf.TensorInfo>;
    const [table, ...rest] = x.shape as [number, ...number[]];
    const y = backend.allocate([...indices.shape, ...rest]);
    const numbers = [backend.address(x), backend.address(indices), backend.address(y)] as const;
    const bad = backend.library.gather_rows(...numbers, sizeOf(indices.shape), sizeOf(rest), table);
    if (bad >= 0) {
      throw new Error(
        `gather: index number ${bad} is outside of the ${table} rows that there are (from 0 on).`,
      );
    }
    return y;
  },
};

/** [rows, ...rest of x]: for each id the sum of the entries of x that have it. */
export function scatterAdd(
  backend: NativeBackend,
  x: tf.TensorInfo,
  ids: tf.TensorInfo,
  rows: number,
): tf.TensorInfo {
  const rest = x.shape.slice(ids.shape.length);
  const y = backend.allocate([rows, ...rest]);
  const numbers = [backend.address(x), backend.address(ids), backend.address(y)] as const;
  backend.library.scatter_add_rows(...numbers, sizeOf(ids.shape), sizeOf(rest), rows);
  return y;
}

const unsortedSegmentSum: NativeKernel = {
  accepts: ({ x, segmentIds }) => x?.dtype === 'float32' && segmentIds?.dtype === 'int32',
  run(inputs, backend, { numSegments }) {
    const { x, segmentIds } = inputs as Record<'x' | 'segmentIds', tf.TensorInfo>;
    return scatterAdd(backend, x, segmentIds, numSegments as number);
  },
};

export const movement: NativeKernels = {
  Concat: concat,
  GatherV2: gather,
  PadV2: pad,
  Reverse: reverse,
  Slice: slice,
  SplitV: splitV,
  Tile: tile,
  Transpose: transpose,
  UnsortedSegmentSum: unsortedSegmentSum,
};
