import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { tf } from '../tf.ts';

interface Inputs {
  dy: tf.TensorInfo;
  x: tf.TensorInfo;
  y: tf.TensorInfo;
}

const threads = 64;

/** A thread for each number of dx: it has its window's gradient if it is the first that equals the maximum. */
const code = `
fn main(index : i32) {
  if (index >= uniforms.size) { return; }
  let at = getCoordsFromIndex(index);
  let top = (at.y / uniforms.side) * uniforms.side;
  let left = (at.z / uniforms.side) * uniforms.side;
  let window = vec4<i32>(at.x, at.y / uniforms.side, at.z / uniforms.side, at.w);
  result[index] = 0.0;
  if (window.y >= uniforms.yShape.y || window.z >= uniforms.yShape.z) { return; }
  let place = getIndexFromCoords4D(window, uniforms.yShape);
  let most = y[place];
  if (x[index] != most) { return; }
  for (var row = top; row <= at.y; row++) {
    for (var column = left; column < left + uniforms.side; column++) {
      if (row == at.y && column >= at.z) { break; }
      if (x[getIndexFromCoords4D(vec4<i32>(at.x, row, column, at.w), uniforms.xShape)] == most) { return; }
    }
  }
  result[index] = dy[place];
}`;

/** SaneMaxPoolGrad (kernel.ts). The package's own gives the gradient to another one of equals, and zeros behind relu are equal. */
export function maxPoolGrad(
  backend: WebGPUBackend,
  { dy, x, y }: Inputs,
  { filterSize }: { filterSize: number },
): tf.TensorInfo {
  const size = x.shape.reduce((product, length) => product * length, 1);
  const program = {
    variableNames: ['dy', 'x', 'y'],
    outputShape: x.shape,
    dispatchLayout: { x: [0, 1, 2, 3] },
    dispatch: [Math.ceil(size / threads), 1, 1] as [number, number, number],
    workgroupSize: [threads, 1, 1] as [number, number, number],
    uniforms: 'side : i32,',
    size: true,
    shaderKey: 'SaneMaxPoolGrad',
    getUserCode: () => code,
  };
  return backend.runWebGPUProgram(program, [dy, x, y], 'float32', [{ type: 'int32', data: [filterSize] }]);
}
