import type { tf } from '../../tf.ts';
import { putFour, returnFour } from './fours.ts';
import { normal } from './gelu.ts';
import type { Program } from './program.ts';

/** What becomes of a product [m, n] before it is written, in this order. */
export interface Epilogue {
  /** [n], added to each row. */
  bias?: tf.TensorInfo;
  /** [m, n], added. */
  addend?: tf.TensorInfo;
  /** [m, n]: the sum is a gradient of GELU of these numbers, and becomes that of the numbers. */
  geluOf?: tf.TensorInfo;
  /** GELU of the sum is the first output, the sum itself the second. */
  gelu?: boolean;
}

/** The outputs of a program that ends so, its inputs besides, and WGSL of a function `finish` that takes four numbers of a row. */
export function endOf(
  { gelu = false, ...tensors }: Epilogue,
  m: number,
  n: number,
): Pick<Program, 'name' | 'inputs' | 'outputs' | 'code'> & { vectors: readonly string[] } {
  const inputs: Record<string, tf.TensorInfo> = { ...tensors };
  const outputs = { y: [m, n], ...(gelu ? { before: [m, n] } : {}) };
  const vectors = n % 4 === 0;
  const names = [...Object.keys(inputs), ...Object.keys(outputs)];
  return {
    name: [...names, vectors ? 'vectors' : 'numbers'].join(' '),
    inputs,
    outputs,
    vectors: vectors ? names : [],
    code: () => codeOf(inputs, outputs, vectors),
  };
}

const codeOf = (inputs: object, outputs: object, vectors: boolean) => {
  const width = 'uniforms.n';
  const steps = {
    bias: 'value += bias_at(column, column);',
    addend: 'value += addend_at(at, column);',
    geluOf: `let x = geluOf_at(at, column);
  let density = density_of(x);
  value *= distribution_of(x, density) + x * density;`,
    before: `put_before(at, column, value);
  value *= distribution_of(value, density_of(value));`,
    y: 'put_y(at, column, value);',
  };
  const isUsed = (name: string) => name in inputs || name in outputs;
  return `
${isUsed('geluOf') || isUsed('before') ? normal('vec4f') : ''}
${Object.keys(inputs)
  .map((name) => `fn ${name}_at(at : u32, column : u32) -> vec4f { ${returnFour(name, vectors, width)} }`)
  .join('\n')}
${Object.keys(outputs)
  .map((name) => `fn put_${name}(at : u32, column : u32, value : vec4f) { ${putFour(name, vectors, width)} }`)
  .join('\n')}
fn finish(row : u32, column : u32, product : vec4f) {
  let at = row * ${width} + column;
  var value = product;
  ${Object.entries(steps)
    .filter(([name]) => isUsed(name))
    .map(([, step]) => step)
    .join('\n  ')}
}`;
};
