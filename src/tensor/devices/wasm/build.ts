/**
 * Compiles the C kernels to kernels.wasm, which is committed beside this file: who uses the wasm device needs no compiler.
 * `bun run wasm` does it, after every change of a C file; `bun run wasm --check` says whether it would give the same bytes. The compiler is itself WebAssembly, an npm package of one exact
 * version that is put into the user's cache (100 MB), so that every machine makes the same bytes.
 */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { kernelSources } from '../../kernels/sources.ts';
import { cacheFolder } from '../compile.ts';

const compiler = '@yowasp/clang@22.0.0-git20542-10';

/** The module with the kernels. */
export const modulePath = join(import.meta.dir, 'kernels.wasm');

/** The section of the module that says what it was made of. */
const sourcesSection = 'sources';

/** Pages of 64 KiB that the module's memory has at first, and at most: 4 GiB less one. */
export const [initialPages, maxPages] = [16, 65535];

/** A thread's stack, in bytes. */
export const stackBytes = 2 ** 18;

/**
 * As the native device's flags, for arithmetic. Relaxed SIMD would make results depend on the machine, and Bun 1.4.5 does not fuse its
 * multiply-add on x86: with it the best tile of a product is slower (results/speed.md).
 */
const flags = [
  ...['-std=gnu11', '-O3', '-msimd128', '-matomics', '-mbulk-memory', '-nostdlib', '-fvisibility=hidden'],
  ...['-fno-math-errno', '-fno-trapping-math', '-ffp-contract=fast'],
  ...['-Wl,--no-entry', '-Wl,--export-dynamic', '-Wl,--strip-all', `-Wl,-z,stack-size=${stackBytes}`],
  ...['-Wl,--import-memory', '-Wl,--shared-memory'],
  ...[`-Wl,--initial-memory=${initialPages * 65536}`, `-Wl,--max-memory=${maxPages * 65536}`],
  ...['-Wl,--export=__stack_pointer', '-Wl,--export=__wasm_init_tls', '-Wl,--export=__tls_size'],
];

/** The C files by name: the kernels, with the threads of this device. */
async function sources(): Promise<Record<string, string>> {
  const paths = [...(await kernelSources()), join(import.meta.dir, 'threads.c')];
  return Object.fromEntries(
    await Promise.all(paths.map(async (path) => [path.split('/').at(-1), await Bun.file(path).text()])),
  );
}

/** What the module depends on, as a hash; the module has it in its section. */
export async function sourcesKey(): Promise<string> {
  const hash = new Bun.CryptoHasher('sha256');
  return hash.update(JSON.stringify([compiler, flags, await sources()])).digest('hex');
}

/** The module's hash of what it was made of, or undefined if it has none. */
export function keyOf(module: WebAssembly.Module): string | undefined {
  const [section] = WebAssembly.Module.customSections(module, sourcesSection);
  return section && new TextDecoder().decode(section);
}

type Files = Record<string, string | Uint8Array>;
interface Toolchain {
  commands: { clang(arguments_: string[], files: Files): Promise<Files> };
  runLLVM(nothing: null, files: Files, options: { fetchProgress(): void }): Promise<void>;
}

const toolchainFolder = join(cacheFolder(), '..', compiler.replace('/', '-'));
const bundle = join(toolchainFolder, 'node_modules/@yowasp/clang/gen/bundle.js');

/** The module's bytes, compiled now. Throws if the compiler cannot be had, or complains. */
async function compile(): Promise<Uint8Array> {
  if (!existsSync(bundle)) {
    await mkdir(toolchainFolder, { recursive: true });
    await Bun.write(join(toolchainFolder, 'package.json'), '{ "private": true }\n');
    const add = Bun.spawn([process.execPath, 'add', '--exact', compiler], { cwd: toolchainFolder });
    if ((await add.exited) !== 0) throw new Error(`${compiler} could not be installed.`);
  }
  const { commands, runLLVM }: Toolchain = await import(bundle);
  // Loads the compiler; else it prints how far it has come.
  await runLLVM(null, {}, { fetchProgress() {} });
  const files = await sources();
  const inputs = Object.keys(files).filter((name) => name.endsWith('.c'));
  const output = await commands.clang([...flags, ...inputs, '-o', 'kernels.wasm'], files);
  return withSection(output['kernels.wasm'] as Uint8Array, await sourcesKey());
}

/** The module and a custom section at its end: id 0, its length, its name and its content. All lengths are below 128. */
function withSection(module: Uint8Array, content: string): Uint8Array {
  const text = new TextEncoder();
  const [name, body] = [text.encode(sourcesSection), text.encode(content)];
  const head = [0, 1 + name.length + body.length, name.length];
  return Buffer.concat([module, Uint8Array.from(head), name, body]);
}

if (import.meta.main) {
  const module = await compile();
  if (process.argv.includes('--check')) {
    const same = Buffer.compare(module, await Bun.file(modulePath).bytes()) === 0;
    console.log(
      `${modulePath} ${same ? 'is what the C files compile to' : 'is not what the C files compile to'}`,
    );
    process.exit(same ? 0 : 1);
  }
  await Bun.write(modulePath, module);
  console.log(`${modulePath}: ${module.length} bytes`);
}
