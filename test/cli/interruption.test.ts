/** Interrupting the program, gently and not, and resuming. */
import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { removeFixtures, until } from '../runner/fixture.ts';
import { ended, Program } from './program.ts';

// Processes take long to start on a busy machine.
setDefaultTimeout(300_000);
afterAll(removeFixtures);

describe('interruption', () => {
  // Longer than a busy machine takes to notice what ends.
  const steps = 200;
  const slow = { sane: { steps, stepMs: 50 } };
  const begun = (program: Program) =>
    until(() => program.steps.filter((s) => s.startsWith('sane')).length > 2, 'SANE is trained');
  const settle = async (program: Program) => {
    const before = program.steps.length;
    await Bun.sleep(300);
    return program.steps.length - before;
  };

  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s stops the workers and exits with 130; the next run resumes',
    async (signal) => {
      const program = new Program(slow);
      const child = program.start();
      await begun(program);
      child.kill(signal);
      const { code, err } = await ended(child);
      expect(code).toBe(130);
      expect(err).toContain('Interrupted with 0 of 3 runs done. Run the same command to resume.');
      expect(await settle(program)).toBe(0);
      program.behave({ sane: { steps } });
      expect((await program.run()).code).toBe(0);
      // Of every SANE no step was done twice.
      expect(program.steps.filter((step) => step.startsWith('sane'))).toHaveLength(3 * steps);
    },
  );

  test('kill -9 of the program: its workers exit by themselves, and the next run resumes', async () => {
    const program = new Program(slow);
    const child = program.start();
    await begun(program);
    child.kill('SIGKILL');
    await child.exited;
    while ((await settle(program)) > 0);
    // They have not simply come to the end.
    expect(program.steps.length).toBeLessThan(3 * steps);
    program.behave({ sane: { steps } });
    expect((await program.run()).code).toBe(0);
    expect(program.steps.filter((step) => step.startsWith('sane'))).toHaveLength(3 * steps);
  });

  test('two programs on one store compute nothing twice, also when one is killed', async () => {
    const program = new Program({ zoo: { stepMs: 300 }, sane: { steps: 10, stepMs: 20 } });
    const [killed, one, other] = [program.start(), program.start(), program.start()];
    await until(() => program.steps.some((step) => step.startsWith('sane')), 'SANE is trained');
    killed.kill('SIGKILL');
    const results = await Promise.all([ended(one), ended(other)]);
    expect(results.map(({ code }) => code)).toEqual([0, 0]);
    expect(results[0]?.out).toBe(results[1]?.out as string);
    expect(program.steps.filter((step) => step.startsWith('sane')).sort()).toEqual(
      [0, 1, 2].flatMap((seed) => Array.from({ length: 10 }, (_, i) => `sane ${seed} ${i}`)),
    );
    expect(program.steps.filter((step) => step.startsWith('zoo'))).toHaveLength(1);
  });
});
