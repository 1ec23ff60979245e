/**
 * Compiles the package's addon, the C++ between JavaScript and TensorFlow's C interface, against another TensorFlow than the
 * package's own. Done once: the addon is kept in the user's cache under a name that depends on its sources, on that
 * TensorFlow and on the compiler.
 */
import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BuildError, cacheFolder, compileOnce, findCompiler, run } from '../compile.ts';
import { type Installation, libraries, packageFolder } from './installation.ts';

const wrap = '-Wl,--wrap=TFE_NewContext';
const flags = ['-std=c++17', '-O2', '-fPIC', '-shared', '-DNAPI_VERSION=8', wrap];

/** What is added to the package's sources. */
const ownSource = fileURLToPath(new URL('./functions.cc', import.meta.url));

export interface Addon {
  path: string;
  /** Whether it can be given functions (graph.ts): the package's own cannot. */
  takesFunctions: boolean;
}

/** The addon, compiled now if it is not in the cache yet. Throws a BuildError that says why it cannot be. */
export async function buildAddon({ folder, addon }: Installation): Promise<Addon> {
  if (addon) return { path: addon, takesFunctions: false };
  const compiler = findCompiler(['c++', 'g++', 'clang++']);
  if (!compiler) throw new BuildError('No C++ compiler is on PATH (c++, g++ or clang++).');
  const root = packageFolder();
  if (!root) throw new BuildError('The package is not installed.');
  const binding = join(root, 'binding');
  const path = join(cacheFolder('tensorflow'), `${await keyOf(compiler, binding, folder)}.node`);
  const headers = dirname(Bun.resolveSync('node-api-headers/include/node_api.h', import.meta.dir));
  await compileOnce(path, { compiler, product: 'the addon' }, (temporary) =>
    run(
      [
        ...[compiler, ...flags, `-I${join(folder, 'include')}`, `-I${headers}`],
        ...[join(binding, 'tfjs_backend.cc'), join(binding, 'tfjs_binding.cc'), ownSource],
        // The wheel's libraries find CUDA's, in the wheels beside theirs, by themselves.
        ...[...libraries.map((name) => join(folder, name)), `-Wl,-rpath,${folder}`, '-o', temporary],
      ],
      folder,
    ),
  );
  return { path, takesFunctions: true };
}

async function keyOf(compiler: string, binding: string, folder: string): Promise<string> {
  const hash = new Bun.CryptoHasher('sha256');
  const { output } = await run([compiler, '--version'], folder);
  // A gigabyte of libraries is not read for this: another version has another size or time.
  const versions = libraries
    .map((name) => statSync(join(folder, name)))
    .map(({ size, mtimeMs }) => [size, mtimeMs]);
  hash.update(JSON.stringify([flags, compiler, output, folder, versions]));
  for (const name of (await readdir(binding)).sort())
    hash.update(await Bun.file(join(binding, name)).bytes());
  hash.update(await Bun.file(ownSource).bytes());
  return hash.digest('hex').slice(0, 32);
}
