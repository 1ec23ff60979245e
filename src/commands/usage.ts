import { didYouMean } from '../experiment/suggest.ts';

/** The arguments are wrong. Nothing was run. */
export class UsageError extends Error {
  override readonly name = 'UsageError';

  constructor(
    problem: string,
    /** What to write instead. */
    readonly hint?: string,
  ) {
    super(problem);
  }
}

/** The name, if it is one of those known; `what` it names is for the UsageError. */
export function checkName<Name extends string>(what: string, name: string, known: readonly Name[]): Name {
  const found = known.find((one) => one === name);
  if (found !== undefined) return found;
  throw new UsageError(
    `there is no ${what} ${name}`,
    didYouMean(name, known) ?? `there are ${known.join(', ')}`,
  );
}
