import leven from 'leven';

/** The known name nearest to a misspelt one, or undefined where none is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  // Two letters swapped are a distance of 2.
  const limit = name.length < 4 ? 1 : Math.max(2, Math.floor(name.length / 3));
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of known) {
    const distance = leven(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** `did you mean x?`, or undefined. */
export function didYouMean(name: string, known: readonly string[]): string | undefined {
  const found = nearest(name, known);
  return found === undefined ? undefined : `did you mean ${found}?`;
}
