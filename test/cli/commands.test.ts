/** `exp table`, `exp why` and `exp doctor`. */
import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deviceNames } from '../../src/tensor/devices/registry.ts';
import { removeFixtures } from '../runner/fixture.ts';
import { exp, experiment, inProcess, Program, parseEvents } from './program.ts';

// Processes take long to start on a busy machine.
setDefaultTimeout(300_000);
afterAll(removeFixtures);

describe('exp table', () => {
  test('writes from what is finished, with the reasons of what failed, and computes nothing', async () => {
    const program = new Program({ sane: { fail: { step: 0, message: 'loss is NaN', seed: 2 } } });
    const { out } = await program.run('--only', 'seed=0,2');
    rmSync(program.out, { recursive: true });
    const places = ['--store', program.store.root, '--out', program.out];
    const again = await inProcess('table', program.file, '--only', 'seed=0,2', ...places);
    expect(again).toMatchObject({ code: 1, out });
    expect(again.err).toContain('seed=2: loss is NaN');
    const all = await inProcess('table', program.file, ...places);
    expect(all.err).toContain('1 of 3 runs not computed yet');
    expect(program.steps).toHaveLength(7);
  });

  test('leaves tables alone where no run is finished', async () => {
    const program = new Program();
    const places = ['--store', program.store.root, '--out', program.out];
    expect(await inProcess('table', program.file, ...places)).toEqual({
      code: 1,
      out: '',
      err: `No run is finished in ${program.store.root}, so no table was written. Compute them with exp run.\n`,
    });
    expect(existsSync(program.out)).toBe(false);
  });
});

describe('exp why', () => {
  test('shows the fields in which a run differs from the nearest finished one', async () => {
    const program = new Program();
    const why = (...args: string[]) =>
      inProcess('why', program.file, 'seed=1', '--store', program.store.root, ...args);
    expect((await why()).out).toContain('not computed yet, and no finished stage to compare it with');
    await program.run();
    expect((await why()).out.match(/finished: nothing to compute/g)).toHaveLength(7);
    const { code, out } = await why('--set', 'sane.epochs=7');
    expect(code).toBe(0);
    expect(out).toMatch(
      /sane cnn-small\/glyphs seed 1 .*\n.*differs from the finished [0-9a-f]{16} in\n {4}config\.epochs: 1 -> 7\n/,
    );
    expect(out).toMatch(/inputs\.sane: "[0-9a-f]{16}" -> "[0-9a-f]{16}"/);
    const events = parseEvents((await why('--set', 'sane.epochs=7', '--json')).out);
    expect(events.map(({ stage, state }) => [stage, state])).toEqual([
      ['dataset', 'cached'],
      ['zoo', 'cached'],
      ['alignment', 'cached'],
      ['sane', 'changed'],
      ['baseline-probes', 'cached'],
      ['baseline-probes', 'cached'],
      ['property-prediction', 'changed'],
    ]);
  });

  test('suggests a run', async () => {
    const program = new Program({}, experiment());
    expect(await inProcess('why', program.file, 'sed=1')).toEqual({
      code: 2,
      out: '',
      err: 'exp: unknown run: sed=1\n  did you mean seed=1?\n',
    });
  });
});

describe('exp doctor', () => {
  test('lists every device', async () => {
    const { code, out } = await exp('doctor');
    expect(code).toBe(0);
    for (const name of deviceNames.filter((device) => device !== 'auto' && device !== 'gpu')) {
      expect(out).toMatch(new RegExp(`^[✓✗] ${name} `, 'm'));
    }
  });

  test('finds damage that a glance does not see', async () => {
    const program = new Program();
    await program.run();
    const doctor = () => exp('doctor', '--store', program.store.root);
    expect((await doctor()).out).toContain(`${program.store.root}: 11 artefacts, 0 damaged`);
    const [zoo] = program.store.list(['zoo']);
    writeFileSync(join(zoo?.dir as string, 'step-0'), 'DONE');
    const { code, out } = await doctor();
    expect(code).toBe(1);
    expect(out).toContain(`✗ ${zoo?.dir}\n    step-0 has another content than when it was written`);
    expect(out).toContain('11 artefacts, 1 damaged');
  });
});

describe('exp report', () => {
  test('writes the page from finished runs and computes nothing', async () => {
    const program = new Program();
    const ask = () => inProcess('report', program.file, '--store', program.store.root, '--out', program.out);
    expect(await ask()).toEqual({
      ...{ code: 1, out: '' },
      err: `No run is finished in ${program.store.root}, so no report was written. Compute them with exp run.\n`,
    });
    await program.run('--only', 'seed=0,1');
    const path = join(program.out, 'report.html');
    expect(await ask()).toEqual({ code: 0, out: `${path}\n`, err: '' });
    expect(await Bun.file(path).text()).toContain('<b>2 of 3</b> runs done');
  });
});
