import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { tf } from '../../tf.ts';
import {
  addRows,
  type Division,
  divide,
  eachChunk,
  load,
  products,
  programOf,
  putFactors,
  shader,
  write,
} from './attention-tiles.ts';
import { eachOfFour } from './fours.ts';
import { runProgram } from './program.ts';

/*
 * With weights p = softmax(s) and dp = dy v^T, the scores' gradient is p (dp - dots), where dots is the sum of p dp over the keys,
 * which is that of dy y over the columns (Dao et al. 2022, section B.2).
 */

/** A block of queries: dots and the queries' gradient. */
const ofQueries = (division: Division) =>
  shader(
    division,
    { read: ['qkv', 'dy', 'y'], write: 'dqkv' },
    `
  var share = 0.0;
  for (var column = 0u; column < uniforms.width; column += 32) {
    workgroupBarrier();
    ${load('left', 'dy.results', 'own', 'column')}
    ${load('right', 'y.results', 'own', 'column')}
    workgroupBarrier();
    for (var i = 0u; i < 4; i++) {
      let at = tile_at(thread / 2, 4 * (thread % 2) + i);
      share += dot(left[at], right[at]);
    }
  }
  shares[thread] = vec4f(share);
  workgroupBarrier();
  var dot_of = vec4f();
  var log_sum = vec4f();
  ${eachOfFour(
    (j) => `
  dot_of[${j}] = shares[8 * ty + ${2 * j}].x + shares[8 * ty + ${2 * j + 1}].x;
  if (own + 4 * ty + ${j} < tokens) {
    let at = task * tokens + own + 4 * ty + ${j};
    log_sum[${j}] = logSums[at];
    if (tx == 0 && first_column == 0) { dots[at] = dot_of[${j}]; }
  }`,
  )}
  ${eachChunk(division, (chunk) => `var dq${chunk} = mat4x4f();`)}
  for (var first = 0u; first < tokens; first += 32) {
    ${products('scores', 'qkv.queries', 'own', 'qkv.keys', 'first')}
    ${products('dscores', 'dy.results', 'own', 'qkv.values', 'first')}
    let there = vec4u(first + 4 * tx) + vec4u(0, 1, 2, 3) < vec4u(tokens);
    ${eachOfFour(
      (j) => `
    scores[${j}] = select(vec4f(), exp2(scores[${j}] * uniforms.scale2 - log_sum[${j}]), there);
    dscores[${j}] = scores[${j}] * (dscores[${j}] - dot_of[${j}]) * uniforms.scale;`,
    )}
    workgroupBarrier();
    ${putFactors('dscores')}
    ${eachChunk(division, (chunk) => addRows(`dq${chunk}`, 'qkv.keys', 'first', chunk))}
  }
  ${eachChunk(division, (chunk) => write('dqkv', 'queries', `dq${chunk}`, chunk))}`,
  );

/** A block of keys: the gradients of keys and values. */
const ofKeys = (division: Division) =>
  shader(
    division,
    { read: ['qkv', 'dy'], write: 'dqkv' },
    `
  ${eachChunk(division, (chunk) => `var dk${chunk} = mat4x4f();\nvar dv${chunk} = mat4x4f();`)}
  for (var first = 0u; first < tokens; first += 32) {
    ${products('scores', 'qkv.keys', 'own', 'qkv.queries', 'first')}
    ${products('dscores', 'qkv.values', 'own', 'dy.results', 'first')}
    let there = vec4u(first + 4 * tx) + vec4u(0, 1, 2, 3) < vec4u(tokens);
    var dot_of = vec4f();
    var log_sum = vec4f();
    ${eachOfFour(
      (i) => `
    if (there[${i}]) {
      let at = task * tokens + first + 4 * tx + ${i};
      dot_of[${i}] = dots[at];
      log_sum[${i}] = logSums[at];
    }`,
    )}
    ${eachOfFour(
      (j) => `
    scores[${j}] = select(vec4f(), exp2(scores[${j}] * uniforms.scale2 - log_sum), there);
    dscores[${j}] = scores[${j}] * (dscores[${j}] - dot_of) * uniforms.scale;`,
    )}
    workgroupBarrier();
    ${putFactors('scores')}
    ${eachChunk(division, (chunk) => addRows(`dv${chunk}`, 'dy.results', 'first', chunk))}
    ${putFactors('dscores')}
    ${eachChunk(division, (chunk) => addRows(`dk${chunk}`, 'qkv.queries', 'first', chunk))}
  }
  ${eachChunk(division, (chunk) => write('dqkv', 'keys', `dk${chunk}`, chunk))}
  ${eachChunk(division, (chunk) => write('dqkv', 'values', `dv${chunk}`, chunk))}`,
  );

type Inputs = Record<'dy' | 'qkv' | 'y' | 'logSums', tf.TensorInfo>;

/** SaneAttentionGrad (kernel.ts): each of two programs writes its part of the gradient. */
export function attentionGrad(
  backend: WebGPUBackend,
  { dy, qkv, y, logSums }: Inputs,
  { heads }: { heads: number },
): tf.TensorInfo[] {
  const division = divide(qkv, heads);
  const [dqkv, dots] = runProgram(backend, {
    ...programOf('SaneAttentionGrad queries', division, ['dy', 'qkv', 'y', 'dqkv']),
    code: () => ofQueries(division),
    inputs: { dy, qkv, y, logSums },
    outputs: { dqkv: qkv.shape, dots: logSums.shape },
  }) as [tf.TensorInfo, tf.TensorInfo];
  runProgram(backend, {
    ...programOf('SaneAttentionGrad keys', division, ['dy', 'qkv', 'dqkv']),
    code: () => ofKeys(division),
    inputs: { dy, qkv, logSums, dots },
    outputs: { dqkv },
  });
  backend.disposeData(dots.dataId);
  return [dqkv];
}
