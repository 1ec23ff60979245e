/** Compiles what the devices need before any test, so that no test's time limit counts the compiler's seconds. */
import { build, findCompiler } from '../src/engine/native/build.ts';
import { buildAddon } from '../src/engine/tensorflow/build.ts';
import { findInstallation } from '../src/engine/tensorflow/installation.ts';

const compiler = findCompiler();
// A compiler that fails fails the tests of the device, which say why.
if (compiler) await build(compiler).catch(() => {});

const installation = findInstallation();
if (!('missing' in installation)) await buildAddon(installation).catch(() => {});
