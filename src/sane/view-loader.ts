/** Views drawn ahead by threads, while the device computes: reading, permuting, noise. Memory is bounded by the batches ahead. */
import { availableParallelism } from 'node:os';
import type { ViewAnswer, ViewOrder, ViewRequest, ViewSet, ViewSetup } from './view-thread.ts';
import { buffersOf, type TwoViews, type ViewOrigin } from './views.ts';

/**
 * One thread draws some 20,000 to 60,000 tokens a second, ten times what the kernels of a CPU compute, so two cores need one. A GPU
 * may want more, and a machine with one has cores to spare; each thread keeps the layout and three batches.
 */
const defaultThreads = Math.min(4, Math.max(1, Math.floor(availableParallelism() / 4)));

/**
 * Draws batches of views of checkpoints on disk, from sets of them with names. What is drawn does not depend on the number of
 * threads. Its threads live until it is disposed of (`using`).
 */
export class ViewLoader {
  private readonly threads: ViewThread[];
  /** How long `draw` has waited for batches, in milliseconds. */
  waitedMs = 0;

  constructor(
    readonly origin: ViewOrigin,
    private readonly sets: Readonly<Record<string, ViewSet>>,
    threads = defaultThreads,
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
    this.threads = Array.from({ length: threads }, () => new ViewThread(setup));
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
    const iterator = requests[Symbol.iterator]();
    const ahead: Promise<TwoViews>[] = [];
    let sent = 0;
    let spent: TwoViews | undefined;
    const fill = () => {
      while (ahead.length <= this.threads.length) {
        const { value, done } = iterator.next();
        if (done) return;
        const views = (this.threads[sent++ % this.threads.length] as ViewThread).draw(value, spent);
        spent = undefined;
        // A failure is thrown where it is waited for, which is later.
        views.catch(() => {});
        ahead.push(views);
      }
    };
    for (fill(); ahead.length > 0; ) {
      const start = performance.now();
      const views = await (ahead.shift() as Promise<TwoViews>);
      this.waitedMs += performance.now() - start;
      fill();
      yield views;
      spent = views;
    }
  }

  [Symbol.dispose](): void {
    for (const thread of this.threads) thread.end();
  }
}

class ViewThread {
  private readonly worker = new Worker(new URL('view-thread.ts', import.meta.url).href);
  /** Of the requests without an answer, the oldest first. */
  private readonly waiting: PromiseWithResolvers<TwoViews>[] = [];
  private broken: Error | undefined;

  constructor(setup: ViewSetup) {
    this.worker.onmessage = ({ data }: MessageEvent<ViewAnswer>) => {
      const request = this.waiting.shift();
      if ('views' in data) request?.resolve(data.views);
      else {
        const { message, ...rest } = data.failure;
        request?.reject(Object.assign(new Error(message), rest));
      }
    };
    this.worker.onerror = ({ message }) => {
      this.broken = new Error(`the thread that draws views ended: ${message}`);
      for (const request of this.waiting.splice(0)) request.reject(this.broken);
    };
    this.worker.postMessage(setup);
  }

  draw(request: ViewRequest, spent: TwoViews | undefined): Promise<TwoViews> {
    if (this.broken) return Promise.reject(this.broken);
    const answer = Promise.withResolvers<TwoViews>();
    this.waiting.push(answer);
    this.worker.postMessage({ request, spent } satisfies ViewOrder, spent ? buffersOf(spent) : []);
    return answer.promise;
  }

  end(): void {
    this.worker.terminate();
  }
}
