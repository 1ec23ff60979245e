/** Whether both sides compute the same. */

/** Of float32. */
const float32 = 1e-4;

/**
 * Undefined if all values of both sides agree to `tolerance` of the largest one (of 1 if that is larger); else a sentence about
 * the first that do not.
 */
export function disagreement(
  ours: readonly number[],
  others: readonly number[],
  tolerance = float32,
): string | undefined {
  if (ours.length !== others.length) {
    return `ours are ${ours.length} values, the other side's ${others.length}`;
  }
  const limit = tolerance * Math.max(1, ...others.map(Math.abs));
  const at = ours.findIndex((value, i) => !(Math.abs(value - (others[i] as number)) <= limit));
  if (at < 0) return undefined;
  return `value ${at} is ${ours[at]} here and ${others[at]} on the other side`;
}
