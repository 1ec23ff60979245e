/** Submits arrays one after the other, each with the jobs that it waits for. */
import type { JobArray } from './arrays.ts';
import { cancel, submit, Unavailable } from './queue.ts';

export interface Submitted {
  /** Numbers of the arrays that are in the queue, the first of the list. */
  ids: string[];
  /** Why the queue did not take the rest. */
  refusal?: Unavailable;
}

/**
 * Submits scripts of arrays. Stops where the queue is full; takes all back where `isCancelled` says so, and where Slurm refuses one for good: what
 * waits for jobs that do not exist would compute nothing. Throws a LauncherError then.
 */
export async function submitArrays(
  arrays: readonly JobArray[],
  paths: readonly string[],
  isCancelled: () => boolean,
): Promise<Submitted> {
  const ids: string[] = [];
  try {
    for (const [number, { after }] of arrays.entries()) {
      if (isCancelled()) {
        await cancel(ids);
        return { ids: [] };
      }
      ids.push(await submit(paths[number] as string, dependencies(after, arrays, ids)));
    }
    return { ids };
  } catch (error) {
    if (error instanceof Unavailable) return { ids, refusal: error };
    await cancel(ids);
    throw error;
  }
}

/** Job numbers that an array waits for: whole arrays where it waits for all of their indices. */
function dependencies(
  after: JobArray['after'],
  arrays: readonly JobArray[],
  ids: readonly string[],
): string[] {
  const queued = after.flatMap((one) => ('queued' in one ? [one.queued] : []));
  const byArray = Map.groupBy(
    after.flatMap((one) => ('array' in one ? [one] : [])),
    ({ array }) => array,
  );
  const own = [...byArray].flatMap(([array, indices]) => {
    const id = ids[array] as string;
    return indices.length === arrays[array]?.jobs.length
      ? [id]
      : indices.map(({ index }) => `${id}_${index}`);
  });
  return [...queued, ...own];
}
