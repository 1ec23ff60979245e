/** What jobs report to whoever watches them: events, appended to a file of each job. */
import { appendFileSync, closeSync, existsSync, mkdirSync, openSync, readSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Reporter, RunnerEvent } from '../../events.ts';

const progressEveryMs = 5000;

/** Appends events to a file; of the progress of each job, a few. */
export class EventWriter implements Reporter {
  private readonly progressedAt = new Map<string, number>();

  constructor(private readonly path: string) {
    mkdirSync(dirname(path), { recursive: true });
  }

  report(event: RunnerEvent): void {
    if (event.event === 'job-progress') {
      const last = this.progressedAt.get(event.job) ?? Number.NEGATIVE_INFINITY;
      if (performance.now() - last < progressEveryMs) return;
      this.progressedAt.set(event.job, performance.now());
    }
    appendFileSync(this.path, `${JSON.stringify(event)}\n`);
  }
}

/** Reads what was appended to files since it looked last. */
export class EventReader {
  private readonly read = new Map<string, { offset: number; rest: string }>();

  /** New events of a file, none where it is not there yet. A line that is being written waits for the next time. */
  next(path: string): RunnerEvent[] {
    if (!existsSync(path)) return [];
    const state = this.read.get(path) ?? { offset: 0, rest: '' };
    const fd = openSync(path, 'r');
    try {
      const buffer = Buffer.allocUnsafe(1 << 16);
      const parts: Buffer[] = [];
      for (;;) {
        const count = readSync(fd, buffer, 0, buffer.length, state.offset);
        if (count === 0) break;
        parts.push(Buffer.from(buffer.subarray(0, count)));
        state.offset += count;
      }
      const lines = (state.rest + Buffer.concat(parts).toString('utf8')).split('\n');
      state.rest = lines.pop() as string;
      this.read.set(path, state);
      return lines.flatMap(parse);
    } finally {
      closeSync(fd);
    }
  }
}

/** A job that was killed may have left half a line before the next. */
function parse(line: string): RunnerEvent[] {
  try {
    return [JSON.parse(line) as RunnerEvent];
  } catch {
    return [];
  }
}
