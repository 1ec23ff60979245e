/** Limits how much work runs at once; what waits starts by priority. */
export class Slots {
  private readonly waiting: { priority: number; order: number; enter: () => void }[] = [];
  private readonly count: number;
  private free: number;
  private arrivals = 0;

  constructor(count: number) {
    this.count = count;
    this.free = count;
  }

  /** How many slots are in use, counting waiting work as if it had started. */
  get wanted(): number {
    return Math.min(this.count, this.count - this.free + this.waiting.length);
  }

  /** Runs the work as soon as a slot is free. A lower number goes first; equal ones in the order of their calls. */
  async use<T>(priority: number, work: () => Promise<T>): Promise<T> {
    await this.enter(priority);
    try {
      return await work();
    } finally {
      this.leave();
    }
  }

  private enter(priority: number): Promise<void> {
    return new Promise((enter) => {
      const entry = { priority, order: this.arrivals++, enter };
      const index = this.waiting.findIndex((other) => other.priority > priority);
      this.waiting.splice(index < 0 ? this.waiting.length : index, 0, entry);
      setImmediate(() => this.admit());
    });
  }

  private leave(): void {
    this.free++;
    // Not at once: the caller that leaves may return immediately with work that goes first.
    setImmediate(() => this.admit());
  }

  private admit(): void {
    while (this.free > 0) {
      const next = this.waiting.shift();
      if (!next) return;
      this.free--;
      next.enter();
    }
  }
}
