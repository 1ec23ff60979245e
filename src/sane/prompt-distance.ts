/** How far new models lie from the prompts that they were drawn near. */

/**
 * Distances to the mean of the prompts, in the vectors that SANE sees (standardised where it standardises), so that layers count alike.
 * The unit is the prompts' own root mean square distance from it, or of a single prompt its length: about 1 and less is where prompts are.
 */
export class PromptDistance {
  private mean = new Float64Array(0);
  private count = 0;
  private squares = 0;

  /** Another prompt's vector. */
  add(flat: Float32Array): void {
    if (this.count === 0) this.mean = new Float64Array(flat.length);
    this.count++;
    for (let i = 0; i < flat.length; i++) {
      const [x, mean] = [flat[i] as number, this.mean[i] as number];
      const moved = mean + (x - mean) / this.count;
      this.mean[i] = moved;
      this.squares += (x - mean) * (x - moved);
    }
  }

  /** The distance of a vector. */
  of(flat: Float32Array): number {
    const own = this.count > 1 ? this.squares / this.count : squared(this.mean);
    return Math.sqrt(squared(flat, this.mean) / own);
  }
}

function squared(values: Float32Array | Float64Array, from?: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += ((values[i] as number) - (from?.[i] ?? 0)) ** 2;
  return sum;
}
