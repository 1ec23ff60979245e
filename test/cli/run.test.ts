/** Whole runs through the command line, with stages that do as the test says. */
import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../runner/fixture.ts';
import { ended, exp, experiment, Program, parseEvents } from './program.ts';

// Processes take long to start on a busy machine.
setDefaultTimeout(60_000);

const tables = ['table-01.csv', 'table-01.json', 'table-01.md', 'table-01.tex'];

describe('exp <file>', () => {
  test('computes, prints the table and writes it; the second time from the store', async () => {
    const program = new Program();
    const first = await program.run();
    expect(first.code).toBe(0);
    expect(first.out).toContain('Table 1.');
    expect(first.err).toContain('property-prediction cnn-small/glyphs seed 2: done in');
    expect(first.err).toContain(`4 files written to ${program.out}`);
    expect(readdirSync(program.out).sort()).toEqual(tables);
    expect(program.steps).toHaveLength(8);
    const second = await program.run();
    expect(second).toEqual({ code: 0, out: first.out, err: `4 files written to ${program.out}\n` });
    expect(program.steps).toHaveLength(8);
  });

  test('trains, pretrains and predicts with the real stages', async () => {
    const program = new Program();
    const { code, err } = await exp(program.file, ...program.places, '--only', 'seed=0');
    expect(code).toBe(0);
    expect(err).toContain('property-prediction cnn-small/glyphs seed 0: done in');
    const { cells } = await Bun.file(join(program.out, 'table-01.json')).json();
    const measured = cells.filter((cell: { measured: unknown }) => cell.measured);
    expect(measured).toHaveLength(9);
    for (const cell of measured)
      expect(cell).toMatchObject({ status: 'scaled', measured: { mean: expect.any(Number) } });
  });

  test('keeps the plan as it was before the first job', async () => {
    const program = new Program({ dataset: { fail: { step: 0, message: 'offline' } } });
    expect((await program.run()).code).toBe(1);
    const plan = await Bun.file(join(program.store.root, 'plans/tiny.json')).json();
    expect(plan.runs.map(({ id }: { id: string }) => id)).toEqual(['seed=0', 'seed=1', 'seed=2']);
  });

  test('--only and --set change what is run', async () => {
    const program = new Program();
    await program.run('--only', 'seed=0,2', '--set', 'sane.epochs=3');
    const sane = program.store
      .list(['sane'])
      .flatMap((found) => (found.state === 'complete' ? [found.record.config] : []));
    expect(sane.map(({ seed, epochs }) => [seed, epochs]).sort()).toEqual([
      [0, 3],
      [2, 3],
    ]);
  });

  test('a failed run is exit code 1, its reason at once, in the table and in the summary', async () => {
    const program = new Program({ sane: { fail: { step: 0, message: 'loss is NaN at step 7', seed: 1 } } });
    const { code, out, err } = await program.run();
    expect(code).toBe(1);
    expect(err).toContain('sane cnn-small/glyphs seed 1: FAILED: loss is NaN at step 7');
    expect(err).toContain('1 of 3 runs failed:\n  seed=1: loss is NaN at step 7\n    log: ');
    expect(out).toContain('1 of 3 runs failed: loss is NaN at step 7');
    const again = await program.run();
    expect(again.code).toBe(1);
    expect(again.err).toContain('--retry-failed computes them again');
    program.behave({});
    expect((await program.run('--retry-failed')).code).toBe(0);
  });

  test('--fail-fast ends at the first failure and says how many runs are missing', async () => {
    const program = new Program({ sane: { stepMs: 5000, fail: { step: 0, message: 'no', seed: 0 } } });
    const { code, err } = await program.run('--fail-fast', '--jobs', '2');
    expect(code).toBe(1);
    expect(err).toContain('1 of 3 runs failed');
    expect(err).toContain('2 of 3 runs are not computed yet');
  });

  test('--json prints one event per line', async () => {
    const program = new Program({ sane: { steps: 2 } });
    const { out, err } = await program.run('--json');
    expect(err).toBe('');
    const events = parseEvents(out);
    expect(events[0]).toMatchObject({ event: 'start', experiment: 'tiny', runs: 3, jobs: 8 });
    const names = new Set(events.map(({ event }) => event));
    for (const name of ['job-start', 'job-progress', 'job-done', 'end', 'table', 'written'])
      expect(names).toContain(name);
    expect(events.at(-1)).toMatchObject({ event: 'result', done: 3, failed: 0, missing: 0 });
  });

  test('a device that cannot start is told before any job', async () => {
    const program = new Program();
    const { code, out, err } = await program.run('--device', 'tensorflow');
    if (code === 0) return; // A GPU is here.
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toStartWith('exp: No device for "tensorflow" can start here:\n  tensorflow: ');
    expect(program.steps).toEqual([]);
  });

  test('a reader that goes away does not matter', async () => {
    const program = new Program();
    const command = `"${process.execPath}" "${import.meta.dir}/exp.ts" "${program.file}" ${program.places.join(' ')} --json | head -n 1`;
    const child = Bun.spawn(['bash', '-c', `set -o pipefail; ${command}`], {
      stdout: 'pipe',
      stderr: 'pipe',
    });
    const [err] = await Promise.all([child.stderr.text(), child.exited]);
    expect({ err, code: child.exitCode }).toEqual({ err: '', code: 0 });
    expect(existsSync(join(program.out, 'table-01.json'))).toBe(true);
  });
});

describe('interruption', () => {
  const slow = { sane: { steps: 40, stepMs: 50 } };
  const begun = (program: Program) =>
    until(() => program.steps.filter((s) => s.startsWith('sane')).length > 2, 'SANE is trained');
  const settle = async (program: Program) => {
    const before = program.steps.length;
    await Bun.sleep(300);
    return program.steps.length - before;
  };

  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s ends the workers and exits with 130; the next run goes on',
    async (signal) => {
      const program = new Program(slow);
      const child = program.start();
      await begun(program);
      child.kill(signal);
      const { code, err } = await ended(child);
      expect(code).toBe(130);
      expect(err).toContain('Interrupted with 0 of 3 runs done. The same command goes on from here.');
      expect(await settle(program)).toBe(0);
      program.behave({ sane: { steps: 40 } });
      expect((await program.run()).code).toBe(0);
      // Of every SANE no step was done twice.
      expect(program.steps.filter((step) => step.startsWith('sane'))).toHaveLength(3 * 40);
    },
  );

  test('kill -9 of the program: its workers end by themselves, and the next run goes on', async () => {
    const program = new Program(slow);
    const child = program.start();
    await begun(program);
    child.kill('SIGKILL');
    await child.exited;
    await Bun.sleep(100);
    expect(await settle(program)).toBe(0);
    program.behave({ sane: { steps: 40 } });
    expect((await program.run()).code).toBe(0);
    expect(program.steps.filter((step) => step.startsWith('sane'))).toHaveLength(3 * 40);
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

describe('exp <file> --dry-run', () => {
  const dryRun = (program: Program, ...options: string[]) =>
    exp(program.file, '--dry-run', '--store', program.store.root, ...options);

  test('says what would be computed and why, and computes nothing', async () => {
    const program = new Program();
    const before = await dryRun(program);
    expect(before.code).toBe(0);
    expect(before.out).toContain('tiny: 3 runs, 8 stages: 0 cached, 8 to compute');
    expect(before.out).toMatch(/zoo cnn-small\/glyphs +[0-9a-f]{16} +needs dataset first/);
    expect(before.out).toContain('No similar stages were timed here.');
    expect(existsSync(program.store.root)).toBe(false);

    await program.run('--only', 'seed=0,1');
    const after = await dryRun(program);
    expect(after.out).toContain('6 cached, 2 to compute');
    expect(after.out).toMatch(
      /sane cnn-small\/glyphs seed 2 +[0-9a-f]{16} +not computed yet +about .* \(from 2 similar\)/,
    );
    expect(after.out).toMatch(/In all about .* with \d+ jobs at once\./);
    expect(after.out).toContain('seed=0  done\n  seed=1  done\n  seed=2  to compute');
  });

  test('names what failed before and what goes on', async () => {
    const program = new Program({ sane: { steps: 2, fail: { step: 1, message: 'no', seed: 1 } } });
    await program.run('--only', 'seed=1');
    expect((await dryRun(program)).out).toMatch(
      /Stages that failed before\n {2}sane cnn-small\/glyphs seed 1 .* no\n/,
    );
    expect((await dryRun(program, '--retry-failed')).out).toMatch(/seed 1 .* failed before\n/);
  });

  test('--json has every stage and run', async () => {
    const { out } = await dryRun(new Program(), '--json');
    const events = parseEvents(out);
    expect(events.filter(({ event }) => event === 'stage')).toHaveLength(8);
    expect(events.filter(({ event }) => event === 'run').map(({ id }) => id)).toEqual([
      'seed=0',
      'seed=1',
      'seed=2',
    ]);
    expect(events.at(-1)).toEqual({
      event: 'plan',
      experiment: 'tiny',
      runs: 3,
      stages: 8,
      cached: 0,
      compute: 8,
      expectedSeconds: null,
    });
  });

  test('shortens long lists', async () => {
    const program = new Program({}, experiment(`[${Array.from({ length: 100 }, (_, seed) => seed)}]`));
    const { out } = await dryRun(program);
    expect(out).toContain('tiny: 100 runs');
    expect(out).toContain('and 60 more runs');
    expect(out.split('\n').length).toBeLessThan(100);
  });

  test('loads no tensor engine', async () => {
    const program = new Program();
    const trap = program.write(
      'trap.ts',
      `Bun.plugin({ name: 'trap', setup(build) {
        build.onLoad({ filter: /@tensorflow/ }, ({ path }) => { throw new Error('loaded ' + path); });
      } });`,
    );
    const load = async (...args: string[]) => {
      const child = Bun.spawn([process.execPath, '--preload', trap, ...args], {
        stdout: 'pipe',
        stderr: 'pipe',
      });
      return { err: await child.stderr.text(), code: await child.exited };
    };
    const root = new URL('../../src/', import.meta.url).pathname;
    expect((await load(`${root}engine/tf.ts`)).err).toContain('loaded ');
    for (const args of [
      [program.file, '--dry-run'],
      ['table', program.file, '--out', program.out],
      ['--help'],
    ]) {
      expect(await load(`${root}cli.ts`, ...args)).toMatchObject({ code: 0 });
    }
  });
});
