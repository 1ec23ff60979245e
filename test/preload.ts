/** Compiles the native device before any test, so that no test's time limit counts the compiler's seconds. */
import { build, findCompiler } from '../src/engine/native/build.ts';

const compiler = findCompiler();
// A compiler that fails fails the tests of the device, which say why.
if (compiler) await build(compiler).catch(() => {});
