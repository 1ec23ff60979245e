/** `1 run`, `3 runs`; words whose plural is no added s name it. */
export const plural = (count: number, word: string, many = `${word}s`): string =>
  `${count} ${count === 1 ? word : many}`;
