/** One side of a row: a process that works when it is its turn. */
import { BenchError, type Turn, type TurnRequest } from './row.ts';

type Answer = Turn | { error: string } | { ready: true };

/** So long the other processes' threads may still spin after their turn; then they sleep. */
const pauseMs = 50;

export class Side {
  private readonly name: string;
  private readonly child;
  private readonly lines: AsyncIterator<string>;

  private constructor(name: string, command: string[], environment: Record<string, string>) {
    this.name = name;
    this.child = Bun.spawn(command, {
      env: { ...process.env, ...environment },
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'inherit',
    });
    this.lines = linesOf(this.child.stdout);
  }

  /** Starts the process and waits until it is prepared. Throws a BenchError if it ends before. */
  static async start(
    name: string,
    command: string[],
    environment: Record<string, string> = {},
  ): Promise<Side> {
    const side = new Side(name, command, environment);
    await side.answer();
    return side;
  }

  /** Its turn, after a pause. Throws a BenchError if the process ends or answers with an error. */
  async turn(request: TurnRequest): Promise<Turn> {
    await Bun.sleep(pauseMs);
    this.child.stdin.write(`${JSON.stringify(request)}\n`);
    this.child.stdin.flush();
    return (await this.answer()) as Turn;
  }

  async end(): Promise<void> {
    this.child.stdin.end();
    await this.child.exited;
  }

  private async answer(): Promise<Answer> {
    const { value, done } = await this.lines.next();
    if (done) throw new BenchError(`the process of ${this.name} ended; its error stands above`);
    const answer = JSON.parse(value) as Answer;
    if ('error' in answer) throw new BenchError(`${this.name}: ${answer.error}`);
    return answer;
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() as string;
    yield* lines;
  }
}
