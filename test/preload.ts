/** Compiles what the devices need before any test, so that no test's time limit counts the compiler's seconds. */
import { findCompiler } from '../src/tensor/devices/compile.ts';
import { build } from '../src/tensor/devices/native/build.ts';
import { buildAddon } from '../src/tensor/devices/tensorflow/build.ts';
import { findInstallation } from '../src/tensor/devices/tensorflow/installation.ts';

const compiler = findCompiler();
// A compiler that fails fails the tests of the device, which say why.
if (compiler) await build(compiler).catch(() => {});

const installation = findInstallation();
if (!('missing' in installation)) await buildAddon(installation).catch(() => {});
