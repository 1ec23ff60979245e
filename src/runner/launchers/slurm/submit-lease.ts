/** The lease under which one process at a time submits jobs of a store. */
import { describeOwner, Lease } from '../../../base/lease.ts';
import { LauncherError } from '../launcher.ts';

const pollMs = 500;

/** Waits until it is free, a minute at most; undefined if the signal is aborted before. Throws a LauncherError that says who has it. */
export async function takeSubmitLease(
  path: string,
  signal?: AbortSignal,
  longestMs = 60_000,
): Promise<Lease | undefined> {
  for (const deadline = Date.now() + longestMs; ; ) {
    const lease = await Lease.takeFromDead(path);
    if (lease) return lease;
    if (signal?.aborted) return undefined;
    if (Date.now() > deadline) {
      throw new LauncherError(
        `another process is submitting jobs of this store${describeOwner(path)}`,
        'the same command again when it is done',
      );
    }
    await Bun.sleep(pollMs);
  }
}
