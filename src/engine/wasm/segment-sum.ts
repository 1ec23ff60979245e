import type { tf } from '../tf.ts';
import { allocate, views, type WasmKernel } from './kernel.ts';

/** tfjs's UnsortedSegmentSum, the gradient of a gather: rows of x [N, ...] summed by their id into [numSegments, ...]. */
export const unsortedSegmentSum: WasmKernel = (inputs, backend, { numSegments }) => {
  const { x, segmentIds } = inputs as { x: tf.TensorInfo; segmentIds: tf.TensorInfo };
  const segments = numSegments as number;
  const out = allocate(backend, [segments, ...x.shape.slice(1)]);
  const [from, to] = views(backend, x, out);
  const ids = backend.typedArrayFromHeap(segmentIds);
  const width = segments > 0 ? to.length / segments : 0;
  to.fill(0);
  for (let row = 0; row < ids.length; row++) {
    const id = ids[row] as number;
    // As tfjs has it: rows of an id that is no segment are left out.
    if (id < 0 || id >= segments) continue;
    for (let j = 0; j < width; j++) {
      const target = id * width + j;
      to[target] = (to[target] as number) + (from[row * width + j] as number);
    }
  }
  return out;
};
