/** Progress as JSON, one event per line. */
import type { Reporter, RunnerEvent } from '../events.ts';

export class JsonReporter implements Reporter {
  constructor(private readonly write: (text: string) => void) {}

  report(event: RunnerEvent): void {
    this.write(`${JSON.stringify({ ...event, time: new Date().toISOString() })}\n`);
  }
}
