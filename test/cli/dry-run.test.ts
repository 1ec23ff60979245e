/** `--dry-run`: what is shown, and what is not loaded. */
import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { removeFixtures } from '../runner/fixture.ts';
import { experiment, inProcess, Program, parseEvents } from './program.ts';

// Processes take long to start on a busy machine.
setDefaultTimeout(300_000);
afterAll(removeFixtures);

describe('exp <file> --dry-run', () => {
  const dryRun = (program: Program, ...options: string[]) =>
    inProcess(program.file, '--dry-run', '--store', program.store.root, ...options);

  test('says what would be computed and why, and computes nothing', async () => {
    const program = new Program();
    const before = await dryRun(program);
    expect(before.code).toBe(0);
    expect(before.out).toContain('tiny: 3 runs, 11 stages: 0 cached, 11 to compute');
    expect(before.out).toMatch(/zoo cnn-small\/glyphs +[0-9a-f]{16} +needs dataset first/);
    expect(before.out).toMatch(
      /Roughly .* in total, with .* \(from counts of operations, for the cores of this machine: no similar/,
    );
    expect(before.out).toMatch(/About [\d.]+ kB of disk in /);
    expect(existsSync(program.store.root)).toBe(false);

    await program.run('--only', 'seed=0,1');
    const after = await dryRun(program);
    expect(after.out).toContain('9 cached, 2 to compute');
    expect(after.out).toMatch(
      /sane cnn-small\/glyphs seed 2 +[0-9a-f]{16} +not computed yet +about .* \(from 2 similar\)/,
    );
    expect(after.out).toMatch(/About .* in total, with \d+ jobs? at a time\./);
    expect(after.out).toContain('seed=0  done\n  seed=1  done\n  seed=2  to compute');
  });

  test('names what failed before', async () => {
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
    expect(events.filter(({ event }) => event === 'stage')).toHaveLength(11);
    expect(events.filter(({ event }) => event === 'run').map(({ id }) => id)).toEqual([
      'seed=0',
      'seed=1',
      'seed=2',
    ]);
    expect(events.at(-1)).toEqual({
      event: 'plan',
      experiment: 'tiny',
      runs: 3,
      stages: 11,
      cached: 0,
      compute: 11,
      expectedSeconds: expect.any(Number),
      expectedBytes: expect.any(Number),
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
    expect((await load(`${root}tensor/tf.ts`)).err).toContain('loaded ');
    for (const [expected, ...args] of [
      [0, program.file, '--dry-run'],
      // No run is finished.
      [1, 'table', program.file, '--out', program.out],
      [0, '--help'],
    ] as [number, ...string[]][]) {
      expect(await load(`${root}cli.ts`, ...args)).toMatchObject({ code: expected });
    }
  });
});
