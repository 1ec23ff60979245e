/** Whole runs through the command line, with stages that do as the test says. */
import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keptPlans } from '../../src/runner/plans.ts';
import { removeFixtures } from '../runner/fixture.ts';
import { ended, exp, experiment, Program, parseEvents, realProgram, spawn, testProgram } from './program.ts';

// Processes take long to start on a busy machine.
setDefaultTimeout(300_000);
afterAll(removeFixtures);

const tables = ['conditions.csv', 'csv', 'html', 'json', 'md', 'tex'].map((end) => `table-01.${end}`);

const sweep = experiment('[0, 1]')
  .replace('seed:', 'sane.d_model: [16, 32], sane.gamma: [0, 0.05], seed:')
  .replace('tables: [1]\n', '');

describe('exp <file>', () => {
  test('computes, prints the table and writes it; the second time from the store', async () => {
    const program = new Program();
    const first = await program.run();
    expect(first.code).toBe(0);
    expect(first.out).toContain('Table 1.');
    expect(first.err).toContain('property-prediction cnn-small/glyphs seed 2: done in');
    expect(first.err).toContain(`6 files written to ${program.out}`);
    expect(readdirSync(program.out).sort()).toEqual(['experiment.json', 'figures', 'report.html', ...tables]);
    expect(program.steps).toHaveLength(11);
    const second = await program.run();
    const written = `6 files written to ${program.out}\nReport: ${join(program.out, 'report.html')}\n`;
    expect(second).toEqual({ code: 0, out: first.out, err: written });
    expect(program.steps).toHaveLength(11);
  });

  test('trains, pretrains and predicts with the real stages', async () => {
    const program = new Program();
    // Four test models are the fewest that R² has an interval over.
    const settings = ['--set', 'zoo.split=[0.4, 0.2, 0.4]'];
    const { code, err } = await exp(program.file, ...program.places, '--only', 'seed=0', ...settings);
    expect(code).toBe(0);
    expect(err).toContain('property-prediction cnn-small/glyphs seed 0: done in');
    const { cells } = await Bun.file(join(program.out, 'table-01.json')).json();
    const measured = cells.filter((cell: { measured: unknown }) => cell.measured);
    expect(measured).toHaveLength(9);
    for (const cell of measured)
      expect(cell).toMatchObject({
        status: 'scaled',
        measured: { mean: expect.any(Number), models: 4, interval: [expect.any(Number), expect.any(Number)] },
      });
    const report = await Bun.file(join(program.out, 'report.html')).text();
    for (const text of [
      'Predicted against actual accuracy of the test models, in %, by feature (seed=0)',
      'Reconstruction loss of each SANE by epoch',
      '<b>1 of 1</b> runs done',
      '<code>exp tiny.yaml --set ',
    ])
      expect({ text, found: report.includes(text) }).toEqual({ text, found: true });
  });

  test('says which device computes, and what would be faster', async () => {
    const program = new Program();
    const folder = join(program.root, 'no-compiler');
    mkdirSync(folder);
    const { code, err } = await ended(
      spawn(
        realProgram,
        [program.file, ...program.places, '--only', 'seed=0', '--set', 'property_prediction.features=[sane]'],
        { PATH: folder },
      ),
    );
    expect(code).toBe(0);
    expect(err).toContain('computing on wasm (WebAssembly with SIMD, several threads)');
    expect(err).toContain(
      'native would be faster: no C compiler is on PATH (cc, gcc or clang). Install one, e.g. with apt-get install gcc',
    );
  });

  test('falls back to wasm and says why where the C compiler fails', async () => {
    const program = new Program();
    const folder = join(program.root, 'bad-compiler');
    mkdirSync(folder);
    writeFileSync(join(folder, 'cc'), '#!/bin/sh\necho "native.h:1: error: no such thing"\nexit 3\n', {
      mode: 0o755,
    });
    // What jobs compute on is chosen before them, so they need not be the real ones.
    const { code, err } = await ended(
      spawn(testProgram, [program.file, ...program.places, '--only', 'seed=0'], {
        PATH: folder,
        XDG_CACHE_HOME: folder,
      }),
    );
    expect(code).toBe(0);
    expect(err).toContain('computing on wasm');
    expect(err).toContain(
      `native would be faster: ${join(folder, 'cc')} failed with exit code 3: native.h:1: error: no such thing. Its whole message is in ${folder}`,
    );
  });

  test('keeps the plan as it was before the first job', async () => {
    const program = new Program({ dataset: { fail: { step: 0, message: 'offline' } } });
    expect((await program.run()).code).toBe(1);
    const [plan] = await keptPlans(program.store);
    expect(plan?.runs.map(({ id }) => id)).toEqual(['seed=0', 'seed=1', 'seed=2']);
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

  test('a sweep over two settings ends in one pivot, and in a heat map on the report', async () => {
    const program = new Program({}, sweep);
    const { code, out } = await program.run();
    expect(code).toBe(0);
    expect(out).toContain('by sane.d_model and sane.gamma');
    expect(out).not.toContain('Table 1.');
    expect(readdirSync(program.out).sort()).toEqual([
      'experiment.json',
      'figures',
      'report.html',
      ...['csv', 'html', 'json', 'md', 'tex'].map((end) => `sweep-r2.${end}`),
    ]);
  });

  test('says why there is no table where every run failed and the paper has none for them', async () => {
    const fail = { step: 0, message: 'loss is NaN' };
    const program = new Program({ sane: { fail } }, sweep);
    const { code, out, err } = await program.run();
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('No run gave a number, so no table was written.\n8 of 8 runs failed:');
  });

  test('--layout and --all choose what tables show', async () => {
    const program = new Program({}, experiment('[0]'));
    const shown = (text: string) => text.slice(0, text.indexOf('Claims of the paper'));
    expect(shown((await program.run()).out)).toContain('ours');
    const less = shown((await program.run('--layout', 'difference')).out);
    expect(less).toContain("Each number is ours less the paper's.");
    expect(less).not.toContain('ours    paper');
    expect(less).toContain('No runs here for: SVHN');
    expect(shown((await program.run('--layout', 'ours', '--all')).out)).not.toContain('No runs here for');
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
    expect(again.err).toContain('Fix the cause, then run the same command with --retry-failed.');
    program.behave({});
    expect((await program.run('--retry-failed')).code).toBe(0);
  });

  test('--fail-fast stops at the first failure and says how many runs are missing', async () => {
    const program = new Program({ sane: { stepMs: 5000, fail: { step: 0, message: 'no', seed: 0 } } });
    const { code, err } = await program.run('--fail-fast', '--jobs', '2');
    expect(code).toBe(1);
    expect(err).toContain('1 of 3 runs failed');
    expect(err).toContain('2 of 3 runs not computed yet');
  });

  test('--json prints one event per line', async () => {
    const program = new Program({ sane: { steps: 2 } });
    const { out, err } = await program.run('--json');
    expect(err).toBe('');
    const events = parseEvents(out);
    expect(events[0]).toMatchObject({ event: 'start', experiment: 'tiny', runs: 3, jobs: 11 });
    const names = new Set(events.map(({ event }) => event));
    for (const name of ['job-start', 'job-progress', 'job-done', 'end', 'table', 'written'])
      expect(names).toContain(name);
    expect(events.at(-2)).toMatchObject({ event: 'result', done: 3, failed: 0, missing: 0 });
    expect(events.at(-1)).toEqual({ event: 'report', path: join(program.out, 'report.html') });
  });

  test('a device that cannot start is reported before any job', async () => {
    const program = new Program();
    const { code, out, err } = await program.run('--device', 'tensorflow');
    if (code === 0) return; // A GPU is here.
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toStartWith('exp: No device for "tensorflow" can start here:\n  tensorflow: ');
    expect(program.steps).toEqual([]);
  });

  test('a reader that closes the pipe does not matter', async () => {
    const program = new Program({}, experiment('[0]'));
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
