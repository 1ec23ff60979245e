/** How many numbers a tensor of this shape has; 1 for a scalar's, []. */
export const sizeOf = (shape: readonly number[]): number =>
  shape.reduce((product, length) => product * length, 1);
