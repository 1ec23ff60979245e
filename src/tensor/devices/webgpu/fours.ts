/** WGSL that reads and writes four neighbouring numbers of a row of a tensor, of which the last may be beyond the row. */

/** Text for each number of a vector, or each vector of a matrix. */
export const eachOfFour = (text: (i: number) => string) => [0, 1, 2, 3].map(text).join('\n');

/** Returns the numbers at `at`, which are in a row of that width from `column` on; zeros beyond. */
export const returnFour = (tensor: string, vectors: boolean, width: string) =>
  vectors
    ? `return ${tensor}[at / 4];`
    : `var four = vec4f();
  ${eachOfFour((i) => `if (column + ${i} < ${width}) { four[${i}] = ${tensor}[at + ${i}]; }`)}
  return four;`;

/** Writes `value` there. */
export const putFour = (tensor: string, vectors: boolean, width: string) =>
  vectors
    ? `${tensor}[at / 4] = value;`
    : eachOfFour((i) => `if (column + ${i} < ${width}) { ${tensor}[at + ${i}] = value[${i}]; }`);
