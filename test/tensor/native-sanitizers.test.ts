/** The C kernels under the compiler's sanitizers: memory, undefined behaviour, and data races of the threads. */
import { afterAll, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  cacheFolder,
  compileOnce,
  findCompiler,
  run as runCompiler,
} from '../../src/tensor/devices/compile.ts';
import { buildKey } from '../../src/tensor/devices/native/build.ts';
import { kernelSources, kernelsFolder } from '../../src/tensor/kernels/sources.ts';
import { testSeed } from '../seed.ts';

const folder = await mkdtemp(join(tmpdir(), 'native-sanitizers-'));
afterAll(() => rm(folder, { recursive: true }));

const kernels = kernelsFolder;
const threads = join(import.meta.dir, '../../src/tensor/devices/native/threads.c');
const driver = join(import.meta.dir, 'native-sanitizers.c');
const files = [...(await kernelSources()), threads, driver];

async function run(...command: string[]): Promise<string> {
  const child = Bun.spawn(command, { stdout: 'pipe', stderr: 'pipe' });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return stdout + stderr;
}

/** Whether the compiler can link a program with them; their libraries are packages of their own on some systems. */
async function available(sanitizers: string): Promise<boolean> {
  const compiler = findCompiler();
  if (!compiler) return false;
  const source = join(folder, 'empty.c');
  await Bun.write(source, 'int main(void) { return 0; }');
  return (await run(compiler, `-fsanitize=${sanitizers}`, source, '-o', join(folder, 'empty'))) === '';
}

const flags = ['-std=gnu11', '-g1', '-march=native', '-ffp-contract=fast', '-pthread', `-I${kernels}`];

/** The driver with all kernels, compiled without a warning; kept beside the kernels, as long as nothing of it changes. */
async function build(compiler: string, sanitize: readonly string[]): Promise<string> {
  const all = [...flags, ...sanitize];
  const path = join(cacheFolder('sanitizers'), await buildKey(compiler, all, files));
  const sources = files.filter((file) => file.endsWith('.c'));
  return compileOnce(path, { compiler, product: 'kernels under sanitizers' }, async (temporary) => {
    const { output } = await runCompiler([compiler, ...all, ...sources, '-lm', '-o', temporary], folder);
    return { code: output === '' ? 0 : 1, output };
  });
}

// Most of the time is the compiler's: the first does not optimise, and leaves out what the checks of addresses find too.
for (const [sanitizers, rounds, added] of [
  ['address,undefined', 2, ['-O0', '-fno-sanitize=null,object-size', '-fno-sanitize-recover=undefined']],
  ['thread', 3, ['-Og']],
] as const) {
  test.if(await available(sanitizers))(
    sanitizers,
    async () => {
      const program = await build(findCompiler() as string, [`-fsanitize=${sanitizers}`, ...added]);
      expect(await run(program, String(testSeed), String(rounds))).toBe('clean\n');
    },
    // The compiler alone takes a minute where other work is going on.
    300_000,
  );
}

test.if(findCompiler() !== undefined)('the pool of threads does every task of every job once', async () => {
  const program = join(folder, 'threads');
  const sources = [threads, join(import.meta.dir, 'native-threads.c')];
  expect(await run(findCompiler() as string, '-O2', ...flags, ...sources, '-o', program)).toBe('');
  expect(await run(program, '300000')).toBe('every task once\n');
});
