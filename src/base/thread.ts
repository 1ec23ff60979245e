/**
 * Threads that prepare data ahead, while the device computes. Their programs load no tensor code: native code crashes where a thread
 * ends.
 */
import { availableParallelism } from 'node:os';

/**
 * One thread prepares more than the kernels of two cores compute. A GPU may want more, and a machine with one has cores to spare; each
 * thread keeps a few batches.
 */
export const threadsAhead = Math.min(4, Math.max(1, Math.floor(availableParallelism() / 4)));

/** `syscall` marks a failure of the machine, which may pass. */
type Reply<Answer> = { answer: Answer } | { failure: { message: string; syscall?: string } };

type Message<Setup, Order> = { setup: Setup } | { order: Order };

/** A thread that answers orders one after the other. It lives until it is ended, or the process is. */
export class Thread<Setup, Order, Answer> {
  private readonly worker: Worker;
  /** Of the orders without an answer, the oldest first. */
  private readonly waiting: PromiseWithResolvers<Answer>[] = [];
  private broken: Error | undefined;

  /** `program` calls `serve`; `task` is what it does, for errors. */
  constructor(program: URL, task: string, setup: Setup) {
    this.worker = new Worker(program.href);
    this.worker.onmessage = ({ data }: MessageEvent<Reply<Answer>>) => {
      const order = this.waiting.shift();
      if ('answer' in data) order?.resolve(data.answer);
      else {
        const { message, ...rest } = data.failure;
        order?.reject(Object.assign(new Error(message), rest));
      }
    };
    const fail = (reason: string) => {
      this.broken ??= new Error(`the thread that ${task} ended: ${reason}`);
      for (const order of this.waiting.splice(0)) order.reject(this.broken);
    };
    // Bun's message is the code around the error, the error and where it was called.
    this.worker.onerror = ({ message }) => fail(/^\w*[eE]rror: (.*)$/m.exec(message)?.[1] ?? message);
    this.worker.addEventListener('close', () => fail('it was closed'));
    this.send({ setup });
  }

  /** The answer, or what the thread throws. The buffers go to the thread and are gone here. */
  ask(order: Order, buffers: ArrayBuffer[] = []): Promise<Answer> {
    if (this.broken) return Promise.reject(this.broken);
    const answer = Promise.withResolvers<Answer>();
    this.waiting.push(answer);
    this.send({ order }, buffers);
    return answer.promise;
  }

  end(): void {
    this.worker.terminate();
  }

  private send(message: Message<Setup, Order>, buffers: ArrayBuffer[] = []): void {
    this.worker.postMessage(message, buffers);
  }
}

/**
 * The answers to these orders, in their order, of which `most` are asked for beyond the one that the caller has. The caller may look at an
 * answer until it asks for the next: `ask` is given it as `spent` then, once, and may use its memory again.
 */
export async function* answersAhead<Order, Answer>(
  orders: Iterable<Order>,
  most: number,
  ask: (order: Order, spent: Answer | undefined) => Promise<Answer>,
): AsyncGenerator<Answer, void, void> {
  const iterator = orders[Symbol.iterator]();
  const ahead: Promise<Answer>[] = [];
  let spent: Answer | undefined;
  const fill = () => {
    while (ahead.length < most) {
      const { value, done } = iterator.next();
      if (done) return;
      const answer = ask(value, spent);
      spent = undefined;
      // A failure is thrown where it is waited for, which is later.
      answer.catch(() => {});
      ahead.push(answer);
    }
  };
  for (fill(); ahead.length > 0; ) {
    const answer = await (ahead.shift() as Promise<Answer>);
    fill();
    yield answer;
    spent = answer;
  }
}

declare const self: Worker;

/** The thread's side: makes the function that answers, and calls it for every order. An answer's buffers go with it. */
export function serve<Setup, Order, Answer>(
  begin: (setup: Setup) => (order: Order) => Answer,
  buffersOf: (answer: Answer) => ArrayBuffer[],
): void {
  let answerTo: ((order: Order) => Answer) | undefined;
  const reply = (message: Reply<Answer>, buffers: ArrayBuffer[] = []) => self.postMessage(message, buffers);
  self.onmessage = ({ data }: MessageEvent<Message<Setup, Order>>) => {
    if ('setup' in data) {
      answerTo = begin(data.setup);
      return;
    }
    try {
      const answer = (answerTo as NonNullable<typeof answerTo>)(data.order);
      reply({ answer }, buffersOf(answer));
    } catch (error) {
      const { message, syscall } = error as NodeJS.ErrnoException;
      reply({ failure: { message, ...(syscall === undefined ? {} : { syscall }) } });
    }
  };
}
