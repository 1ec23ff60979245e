/** Views drawn ahead by threads, while the device computes: reading, permuting, noise. Memory is bounded by the batches ahead. */
import { answersAhead, Thread, threadsAhead } from '../base/thread.ts';
import type { ViewOrder, ViewRequest, ViewSet, ViewSetup } from './view-thread.ts';
import { buffersOf, type TwoViews, type ViewOrigin } from './views.ts';

/**
 * Draws batches of views of checkpoints on disk, from sets of them with names. What is drawn does not depend on the number of
 * threads. Its threads live until it is disposed of (`using`).
 */
export class ViewLoader {
  private readonly threads: Thread<ViewSetup, ViewOrder, TwoViews>[];
  /** How long `draw` has waited for batches, in milliseconds. */
  waitedMs = 0;

  constructor(
    readonly origin: ViewOrigin,
    private readonly sets: Readonly<Record<string, ViewSet>>,
    threads = threadsAhead,
  ) {
    const { name, state, permutations } = origin.architecture;
    const setup: ViewSetup = {
      origin: { architecture: { name, state, permutations }, layout: origin.layout },
      sets: Object.fromEntries(
        Object.entries(sets).map(([set, { samples, standardization }]) => [
          set,
          { samples: samples.map(({ file, permutations }) => ({ file, permutations })), standardization },
        ]),
      ),
    };
    const program = new URL('view-thread.ts', import.meta.url);
    this.threads = Array.from({ length: threads }, () => new Thread(program, 'draws views', setup));
  }

  /** How many samples a set has. */
  size(set: string): number {
    return this.sets[set]?.samples.length ?? 0;
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
