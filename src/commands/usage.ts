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
