/** How the program starts: as an installed `exp`, and where the runtime is not a recent Bun. */
import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { experiment, realProgram } from './program.ts';

const root = mkdtempSync(join(tmpdir(), 'exp-start-'));
afterAll(() => rmSync(root, { recursive: true }));
const { bin, engines, license, name, version } = await Bun.file(
  new URL('../../package.json', import.meta.url),
).json();
const needed = engines.bun.replace('>=', '');

async function output(command: string[], env: Record<string, string> = {}) {
  const child = Bun.spawn(command, {
    cwd: root,
    env: { ...process.env, ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { code: await child.exited, out, err };
}

test('package.json installs it as exp', async () => {
  expect(new URL(`../../${bin.exp}`, import.meta.url).pathname).toBe(realProgram);
  // As `bun link` does; `env bun` in its first line finds the Bun of this test.
  symlinkSync(realProgram, join(root, 'exp'));
  symlinkSync(process.execPath, join(root, 'bun'));
  const PATH = `${root}:${process.env.PATH}`;
  expect(await output(['exp', '--version'], { PATH })).toEqual({ code: 0, out: `${version}\n`, err: '' });
  writeFileSync(join(root, 'tiny.yaml'), experiment('[0]'));
  const dryRun = await output(['exp', 'tiny.yaml', '--dry-run'], { PATH });
  expect(dryRun).toMatchObject({ code: 0, err: '' });
  expect(dryRun.out).toStartWith('tiny: 1 run, ');
});

/** Runs the program where `process.versions` is that of another runtime. */
async function startedBy(versions: Record<string, string>): Promise<string> {
  const preload = join(root, 'preload.ts');
  writeFileSync(
    preload,
    `Object.defineProperty(process, 'versions', { value: ${JSON.stringify(versions)} });`,
  );
  const { code, out, err } = await output([process.execPath, '--preload', preload, realProgram, '--version']);
  expect([out, code]).toEqual(err === '' ? [`${version}\n`, 0] : ['', 2]);
  return err;
}

test('another Bun is refused by its version, if it is older', async () => {
  for (const bun of [needed, `${needed}1`, '1.10.0', '2.0.0']) expect(await startedBy({ bun })).toBe('');
  expect(await startedBy({ bun: '1.1.30' })).toBe(
    `sane-experiments needs Bun ${needed} or newer, this is Bun 1.1.30: run bun upgrade, or put npx --yes bun@${needed} instead of bun\n`,
  );
});

test('CITATION.cff has the version and licence of package.json', async () => {
  const text = await Bun.file(new URL('../../CITATION.cff', import.meta.url)).text();
  expect(Bun.YAML.parse(text)).toMatchObject({ title: name, version, license });
});

test('Node is told what to use', async () => {
  expect(await startedBy({ node: '24.0.0' })).toBe(
    `sane-experiments needs Bun ${needed} or newer, this is Node.js 24.0.0: install it from https://bun.sh, or put npx --yes bun@${needed} instead of bun\n`,
  );
});

test('the file that checks the version imports nothing that an older Bun cannot load', async () => {
  const imports = (await Bun.file(realProgram).text()).match(/^import .*/gm);
  expect(imports).toEqual(["import { readFileSync } from 'node:fs';"]);
});
