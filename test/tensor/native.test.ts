/** The native device: the library is compiled once, and what is missing is said. */
import { afterAll, expect, test } from 'bun:test';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BuildError, findCompiler } from '../../src/tensor/devices/compile.ts';
import { build } from '../../src/tensor/devices/native/build.ts';
import { native } from '../../src/tensor/devices/native/device.ts';
import { testNative } from './devices.ts';

const folder = await mkdtemp(join(tmpdir(), 'native-'));
afterAll(() => rm(folder, { recursive: true }));

/** A program in the place of the compiler. */
async function program(name: string, script: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

const problemOf = (promise: Promise<unknown>) => promise.then(String, (error: Error) => error);

testNative('is compiled once, also by several at a time', async () => {
  const cache = join(folder, 'cache');
  // What this compiles does not matter here, only how often and to where.
  const compiler = await program(
    'fake-cc',
    `[ "$1" = --version ] && exit\necho once >> ${folder}/count\nwhile [ "$1" != -o ]; do shift; done\necho library > "$2"`,
  );
  const paths = await Promise.all([build(compiler, cache), build(compiler, cache)]);
  expect(paths[0]).toBe(paths[1] as string);
  const compiled = (await Bun.file(join(folder, 'count')).text()).length;
  expect(await build(compiler, cache)).toBe(paths[0] as string);
  expect((await Bun.file(join(folder, 'count')).text()).length).toBe(compiled);
  expect(await readdir(cache)).toEqual([(paths[0] as string).split('/').at(-1) as string]);
});

test('a compiler that fails is an error with its first complaint and where the rest is', async () => {
  const cache = join(folder, 'failed');
  const compiler = await program('bad-cc', 'echo "gemm.c:1: error: no such thing" >&2; exit 3');
  const error = (await problemOf(build(compiler, cache))) as Error;
  expect(error).toBeInstanceOf(BuildError);
  expect(error.message).toStartWith(`${compiler} failed with exit code 3: gemm.c:1: error: no such thing.`);
  const [log] = await readdir(cache);
  expect(error.message).toEndWith(`Its whole message is in ${join(cache, log as string)}.`);
  expect(await Bun.file(join(cache, log as string)).text()).toContain('no such thing');
});

testNative('a cache that cannot be made is an error with the remedy', async () => {
  const file = join(folder, 'file');
  await writeFile(file, '');
  const error = (await problemOf(build('true', join(file, 'cache')))) as Error;
  expect(error).toBeInstanceOf(BuildError);
  expect(error.message).toEndWith('Set XDG_CACHE_HOME to one that can.');
});

test('without a compiler it does not start, and says what to install', async () => {
  await mkdir(join(folder, 'empty'));
  const path = process.env.PATH;
  process.env.PATH = join(folder, 'empty');
  try {
    expect(findCompiler()).toBeUndefined();
    const { starts, detail, remedy } = await native.diagnose();
    expect(starts).toBe(false);
    expect(detail).toBe('no C compiler is on PATH (cc, gcc or clang)');
    expect(remedy).toContain('apt-get install gcc');
    expect(String(await problemOf(native.start({ threads: 1 })))).toContain(
      'The device native cannot start: no C compiler is on PATH (cc, gcc or clang). Install one',
    );
  } finally {
    process.env.PATH = path;
  }
});

testNative('a process that has computed with threads ends by itself', async () => {
  const script = `
    const { native } = await import('./src/tensor/devices/native/device.ts');
    const { tf } = await import('./src/tensor/tf.ts');
    await native.start({ threads: 3 });
    const x = tf.ones([300, 300]);
    console.log(tf.matMul(x, x).dataSync()[5]);
  `;
  const root = new URL('../..', import.meta.url).pathname;
  const child = Bun.spawn([process.execPath, '-e', script], { cwd: root, stdout: 'pipe', stderr: 'inherit' });
  expect((await child.stdout.text()).trim()).toBe('300');
  expect(await child.exited).toBe(0);
});
