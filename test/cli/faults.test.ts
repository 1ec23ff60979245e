/** What the program does about damaged files, and folders that cannot be written. */
import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { processTag } from '../../src/base/processes.ts';
import { removeFixtures, until } from '../runner/fixture.ts';
import { inProcess, Program } from './program.ts';

// Processes take long to start on a busy machine.
setDefaultTimeout(300_000);
afterAll(removeFixtures);

/** The folders of a stage's artefacts. */
const artefacts = ({ store }: Program, stage: string) =>
  readdirSync(join(store.root, stage))
    .filter((name) => !name.includes('.'))
    .map((name) => join(store.root, stage, name));

/** Has a process killed in the middle of writing the file. Returns the path of what it leaves. */
async function killedWriting(path: string): Promise<string> {
  const program = `
    import { replaceFile } from ${JSON.stringify(new URL('../../src/base/files.ts', import.meta.url).pathname)};
    await replaceFile(${JSON.stringify(path)}, async (temporary) => {
      await Bun.write(temporary, 'half');
      console.log(temporary);
      process.kill(process.pid, 'SIGKILL');
      await Bun.sleep(60_000);
    });`;
  const child = Bun.spawn([process.execPath, '-e', program], { stdout: 'pipe' });
  const left = (await child.stdout.text()).trim();
  await child.exited;
  return left;
}

const fillWithZeros = (path: string) => writeFileSync(path, new Uint8Array(statSync(path).size));

describe('a damaged artefact', () => {
  test('of any file filled with zeros is set aside, named and computed again', async () => {
    const program = new Program();
    const first = await program.run();
    for (const stage of ['zoo', 'sane', 'property-prediction'])
      for (const folder of artefacts(program, stage))
        for (const name of readdirSync(folder)) fillWithZeros(join(folder, name));
    const again = await program.run();
    expect(again.code).toBe(0);
    expect(again.out).toBe(first.out);
    const [zoo] = artefacts(program, 'zoo') as [string];
    expect(again.err).toContain(
      'zoo cnn-small/glyphs was damaged: artefact.json cannot be read (JSON Parse error',
    );
    expect(again.err).toContain(`It is set aside in ${zoo}.damaged and computed again`);
    expect(existsSync(`${zoo}.damaged/artefact.json`)).toBe(true);
  });

  test('is no result: exp table says so and uses it not, exp run computes it again', async () => {
    const program = new Program();
    const first = await program.run();
    const [folder] = artefacts(program, 'property-prediction') as [string];
    const path = join(folder, 'result.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace('0.5', '0.6'));
    const table = await inProcess('table', program.file, '--store', program.store.root, '--out', program.out);
    expect(table.code).toBe(1);
    expect(table.err).toContain(
      `${folder} is damaged: result.json has another content than when it was written. It is not used; exp run computes it again.`,
    );
    const again = await program.run();
    expect(again).toMatchObject({ code: 0, out: first.out });
  });
});

describe('a folder that cannot be written', () => {
  test('is told before anything is computed', async () => {
    const program = new Program();
    const file = program.write('file', '');
    const cases = [
      [file, `exp: ${file} is a file, no folder. Name another one by --out.`],
      [join(file, 'below'), 'ENOTDIR'],
      [join(program.root, 'x'.repeat(256)), 'ENAMETOOLONG'],
    ] as const;
    for (const [out, message] of cases) {
      const { code, err } = await inProcess(program.file, '--store', program.store.root, '--out', out);
      expect(err).toContain(message);
      expect(err).toContain('by --out.');
      expect(err).not.toMatch(/^\s+at /m);
      expect(code).toBe(2);
    }
    expect(program.steps).toEqual([]);
  });

  test('as a store is an error with the remedy', async () => {
    const program = new Program();
    const store = join(program.write('file', ''), 'store');
    const { code, err } = await inProcess(program.file, '--store', store, '--out', program.out);
    expect(err).toContain(`exp: the store ${store} cannot be used: `);
    expect(err).toContain('Name another folder by --store.');
    expect(code).toBe(2);
  });
});

test('a second signal after the first ends with 130 too', async () => {
  const program = new Program({ sane: { steps: 40, stepMs: 50 } });
  const child = program.start();
  await until(() => program.steps.some((step) => step.startsWith('sane')), 'SANE is trained');
  child.kill('SIGTERM');
  const decoder = new TextDecoder();
  let err = '';
  for await (const chunk of child.stderr) {
    err += decoder.decode(chunk);
    if (err.includes('Interrupted')) child.kill('SIGTERM');
  }
  expect(err).toContain('Interrupted with');
  expect(await child.exited).toBe(130);
  expect(child.signalCode).toBeNull();
});

test('what killed processes left half-written is removed, and what living ones write is not', async () => {
  const program = new Program();
  await program.run();
  const store = program.store.root;
  const files = [`${program.out}/table-01.md`, `${store}/plans/tiny.json`, `${store}/zoo/0123.verified.json`];
  const left = await Promise.all(files.map(killedWriting));
  // Of another machine nobody knows here which processes live.
  const living = [processTag(), '0123abcd-1'].map((tag) =>
    program.write(`out/table-01.md.${tag}-1.tmp`, 'half'),
  );
  expect(left.map((file) => existsSync(file))).toEqual([true, true, true]);
  expect((await program.run()).code).toBe(0);
  expect(left.filter((file) => existsSync(file))).toEqual([]);
  expect(living.map((file) => existsSync(file))).toEqual([true, true]);
});
