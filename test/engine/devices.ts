/** Which CPU devices the tests of numbers run on: native only where there is a C compiler, as on its users' machines. */
import { describe, test } from 'bun:test';
import { findCompiler } from '../../src/engine/native/build.ts';

export const hasCompiler = findCompiler() !== undefined;

/** Devices of the kernels in C. */
export const compiledDevices: string[] = ['wasm', ...(hasCompiler ? ['native'] : [])];

/** Devices that are compared with the definition. */
export const testedDevices: string[] = ['cpu', ...compiledDevices];

/** As describe and test, skipped where no C compiler is on PATH. */
export const describeNative = describe.if(hasCompiler);
export const testNative = test.if(hasCompiler);
