import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { tf } from '../../tf.ts';
import {
  addRows,
  type Division,
  divide,
  eachChunk,
  products,
  programOf,
  putFactors,
  shader,
  write,
} from './attention-tiles.ts';
import { eachOfFour } from './fours.ts';
import { runProgram } from './program.ts';

/**
 * Softmax by blocks of keys (Milakov and Gimelshein 2018; Dao et al. 2022): where a block has a larger score than those before it, what
 * was added up so far is scaled down. Element j of a vector belongs to row 4 ty + j.
 */
const forward = (division: Division) =>
  shader(
    division,
    { read: ['qkv'], write: 'y' },
    `
  let lowest = -3e38;
  var most = vec4f(lowest);
  var sums = vec4f();
  ${eachChunk(division, (chunk) => `var y${chunk} = mat4x4f();`)}
  for (var first = 0u; first < tokens; first += 32) {
    ${products('scores', 'qkv.queries', 'own', 'qkv.keys', 'first')}
    let there = vec4u(first + 4 * tx) + vec4u(0, 1, 2, 3) < vec4u(tokens);
    var next = vec4f();
    ${eachOfFour(
      (j) => `
    scores[${j}] = select(vec4f(lowest), scores[${j}] * uniforms.scale2, there);
    next[${j}] = max(max(scores[${j}].x, scores[${j}].y), max(scores[${j}].z, scores[${j}].w));`,
    )}
    shares[thread] = next;
    workgroupBarrier();
    next = most;
    for (var i = 0u; i < 8; i++) { next = max(next, shares[8 * ty + i]); }
    let kept = exp2(most - next);
    most = next;
    ${eachOfFour((j) => `scores[${j}] = exp2(scores[${j}] - next[${j}]);`)}
    sums = sums * kept + vec4f(1) * scores;
    ${putFactors('scores')}
    ${eachChunk(
      division,
      (chunk) => `
    y${chunk} = mat4x4f(y${chunk}[0] * kept.x, y${chunk}[1] * kept.y, y${chunk}[2] * kept.z, y${chunk}[3] * kept.w);
    ${addRows(`y${chunk}`, 'qkv.values', 'first', chunk)}`,
    )}
  }
  shares[thread] = sums;
  workgroupBarrier();
  sums = vec4f();
  for (var i = 0u; i < 8; i++) { sums += shares[8 * ty + i]; }
  let log_sum = most + log2(sums);
  if (tx == 0 && first_column == 0) {
    for (var j = 0u; j < min(4, tokens - min(tokens, own + 4 * ty)); j++) {
      logSums[task * tokens + own + 4 * ty + j] = log_sum[j];
    }
  }
  ${eachChunk(
    division,
    (chunk) => `
  y${chunk} = mat4x4f(y${chunk}[0] / sums.x, y${chunk}[1] / sums.y, y${chunk}[2] / sums.z, y${chunk}[3] / sums.w);
  ${write('y', 'results', `y${chunk}`, chunk)}`,
  )}`,
  );

/** SaneAttention (kernel.ts). The logarithms are to the base 2, of the sums of e to the scaled scores. */
export function attention(
  backend: WebGPUBackend,
  { qkv }: { qkv: tf.TensorInfo },
  { heads }: { heads: number },
): tf.TensorInfo[] {
  const division = divide(qkv, heads);
  const [batch, tokens, columns] = qkv.shape as [number, number, number];
  return runProgram(backend, {
    ...programOf('SaneAttention', division, ['qkv', 'y']),
    code: () => forward(division),
    inputs: { qkv },
    outputs: { y: [batch, tokens, columns / 3], logSums: [batch, heads, tokens] },
  });
}
