/** What can be wrong with a file or folder, as errors that name it and the remedy. */

/** Characters of a problem, which may cite what the file holds. */
const longest = 1000;

/** A file that is no file of its format: cut short, overwritten, or another one. The message names it. */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile';

  constructor(
    readonly path: string,
    problem: string,
  ) {
    super(`${path}: ${problem.length > longest ? `${problem.slice(0, longest)}…` : problem}`);
  }
}

/** A file or folder that cannot be written or used. The message names it, and what to do. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
}

/** Whether the system refused something: no permission, no space, a file in a folder's place. */
export const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'code' in error && 'syscall' in error;

/** The system's refusal to use `what`, for people; `option` is what names another place. Throws any other error on. */
export function asStorageError(what: string, error: unknown, option: string): StorageError {
  if (error instanceof StorageError) return error;
  if (!isSystemError(error)) throw error;
  const full = error.code === 'ENOSPC' || error.code === 'EDQUOT';
  const remedy = full ? 'Free some space, or name' : 'Name';
  return new StorageError(`${what}: ${error.message}. ${remedy} another folder by ${option}.`);
}
