/** How far new models lie from the prompts that they were drawn near. */

/** Prompts whose own nearest neighbours are the measure: more would take long and add little. */
const measured = 100;

/**
 * A function that gives a model's distance to the nearest prompt, in the vectors that SANE sees (standardised where it standardises, so
 * that layers count alike). The unit is the mean distance of a prompt to the nearest other one, or of a single prompt, and of equal ones, its length:
 * 0 is a copy, 1 is as new as the prompts are to one another.
 */
export function promptDistance(prompts: readonly Float32Array[]): (flat: Float32Array) => number {
  const [first] = prompts as readonly [Float32Array, ...Float32Array[]];
  const near = prompts.slice(0, measured).map((prompt) => nearest(prompt, prompts));
  const apart = prompts.length > 1 ? near.reduce((sum, distance) => sum + distance, 0) / near.length : 0;
  const unit = apart || distance(first, new Float32Array(first.length));
  return (flat) => nearest(flat, prompts) / unit;
}

/** The distance to the nearest of the others that is not the vector itself. */
function nearest(flat: Float32Array, others: readonly Float32Array[]): number {
  return others.reduce(
    (least, other) => (other === flat ? least : Math.min(least, distance(flat, other))),
    Number.POSITIVE_INFINITY,
  );
}

function distance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] as number) - (b[i] as number)) ** 2;
  return Math.sqrt(sum);
}
