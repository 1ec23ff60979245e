/** Views drawn ahead by threads, while the device computes: reading, permuting, noise. Memory is bounded by the batches ahead. */
import { answersAhead, Thread, threadsAhead } from '../base/thread.ts';
import type { ViewOrder, ViewRequest, ViewZoo } from './view-thread.ts';
import { buffersOf, type TwoViews } from './views.ts';

/**
 * Draws batches of views of checkpoints on disk, from sets of them with names, each of one zoo or of several. What is drawn does not
 * depend on the number of threads. Its threads live until it is disposed of (`using`).
 */
export class ViewLoader {
  private readonly threads: Thread<readonly ViewZoo[], ViewOrder, TwoViews>[];
  /** How long `draw` has waited for batches, in milliseconds. */
  waitedMs = 0;

  constructor(
    private readonly zoos: readonly ViewZoo[],
    threads = threadsAhead,
  ) {
    // No more than is drawn of travels to the threads.
    const setup = zoos.map(({ origin, sets }): ViewZoo => {
      const { name, state, permutations } = origin.architecture;
      return {
        origin: { architecture: { name, state, permutations }, layout: origin.layout },
        sets: Object.fromEntries(
          Object.entries(sets).map(([set, { samples, standardization }]) => [
            set,
            { samples: samples.map(({ file, permutations }) => ({ file, permutations })), standardization },
          ]),
        ),
      };
    });
    const program = new URL('view-thread.ts', import.meta.url);
    this.threads = Array.from({ length: threads }, () => new Thread(program, 'draws views', setup));
  }

  /** How many samples a set has, of all zoos. */
  size(set: string): number {
    return this.zoos.reduce((sum, { sets }) => sum + (sets[set]?.samples.length ?? 0), 0);
  }

  /**
   * The views of these requests, in their order. While the caller works on one, the next is ready or being drawn by each thread.
   * The caller may look at views until it asks for the next: their memory is used again. Throws what a thread could not read.
   */
  async *draw(requests: Iterable<ViewRequest>): AsyncGenerator<TwoViews, void, void> {
    let sent = 0;
    const views = answersAhead<ViewRequest, TwoViews>(requests, this.threads.length + 1, (request, spent) => {
      const thread = this.threads[sent++ % this.threads.length] as (typeof this.threads)[number];
      return thread.ask({ request, spent }, spent ? buffersOf(spent) : []);
    });
    for (;;) {
      const start = performance.now();
      const { value, done } = await views.next();
      this.waitedMs += performance.now() - start;
      if (done) return;
      yield value;
    }
  }

  [Symbol.dispose](): void {
    for (const thread of this.threads) thread.end();
  }
}
