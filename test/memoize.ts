/** Keeps what a slow oracle has computed: it is the same for every device. Results must not be changed. */
export function memoize<A extends (string | number | boolean)[], R>(
  compute: (...args: A) => R,
): (...args: A) => R {
  const known = new Map<string, R>();
  return (...args) => {
    const key = JSON.stringify(args);
    if (!known.has(key)) known.set(key, compute(...args));
    return known.get(key) as R;
  };
}
