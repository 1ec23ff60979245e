/** Threads that answer orders, and how they fail. */
import { describe, expect, test } from 'bun:test';
import { Thread } from '../../src/base/thread.ts';

const program = new URL('./thread-program.ts', import.meta.url);
const start = (setup: string, path = program) =>
  new Thread<string, string, Uint8Array>(path, 'does as told', setup);
/** The answer's text, or the error. */
const outcome = (answer: Promise<Uint8Array>): Promise<unknown> =>
  answer.then(
    (bytes) => new TextDecoder().decode(bytes),
    (error: unknown) => error,
  );

describe('a thread', () => {
  test('answers orders one after the other, also after one that failed', async () => {
    const thread = start('hello');
    const [first, failed, last] = await Promise.all(
      ['a', 'fail', 'b'].map((order) => outcome(thread.ask(order))),
    );
    expect([first, last]).toEqual(['hello a', 'hello b']);
    // Trouble of the machine is told as such.
    expect(failed).toMatchObject({ message: 'cannot read it', syscall: 'read' });
    thread.end();
  });

  test.each([
    ['cannot begin', 'none', program, 'there is no setup'],
    ['ends by itself', 'exit', program, 'it was closed'],
    ['has no program', '', new URL('./no-program.ts', import.meta.url), 'BuildMessage: ModuleNotFound'],
  ])('that %s fails, as do all orders after', async (_, setup, path, reason) => {
    const thread = start(setup, path);
    const outcomes = await Promise.all(['exit', 'again'].map((order) => outcome(thread.ask(order))));
    outcomes.push(await outcome(thread.ask('later')));
    for (const one of outcomes)
      expect(String(one)).toStartWith(`Error: the thread that does as told ended: ${reason}`);
    thread.end();
  });

  test('that is ended fails the orders without an answer', async () => {
    const thread = start('hello');
    await thread.ask('a');
    const failed = outcome(thread.ask('b'));
    thread.end();
    expect(String(await failed)).toBe('Error: the thread that does as told ended: it was closed');
  });
});
