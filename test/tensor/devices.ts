/**
 * Which devices the tests of numbers run on: native only where there is a C compiler, as on its users' machines;
 * tensorflow, on the CPU if there is no GPU, only where EXP_TENSORFLOW or the trusted package brings it; webgpu, on a software
 * adapter if there is no GPU, only where the package webgpu is installed and finds one.
 */
import { describe, test } from 'bun:test';
import { findCompiler } from '../../src/tensor/devices/compile.ts';
import { startDevice } from '../../src/tensor/devices/registry.ts';
import { buildAddon } from '../../src/tensor/devices/tensorflow/build.ts';
import { findInstallation, type Installation } from '../../src/tensor/devices/tensorflow/installation.ts';
import { startTensorflow } from '../../src/tensor/devices/tensorflow/start.ts';
import type { Adapter } from '../../src/tensor/devices/webgpu/adapters.ts';
import { startWebgpu } from '../../src/tensor/devices/webgpu/start.ts';
import { findTestedAdapter } from './webgpu-adapter.ts';

export const hasCompiler = findCompiler() !== undefined;

/** Devices of the kernels in C. */
export const compiledDevices: string[] = ['wasm', ...(hasCompiler ? ['native'] : [])];

const installation = findInstallation();

/** Why nothing is tested on tensorflow here, or undefined where it is. */
export const noTensorflow = 'missing' in installation ? installation.missing : undefined;

const adapter = await findTestedAdapter();

/** Why nothing is tested on webgpu here, or undefined where it is. */
export const noWebgpu = 'missing' in adapter ? adapter.missing : undefined;
if (noWebgpu) console.warn(`Nothing is tested on webgpu: ${noWebgpu}.`);

/** Devices with kernels of our own for tfjs's operations. */
export const kernelDevices: string[] = [...compiledDevices, ...(noTensorflow ? [] : ['tensorflow'])];

/** Devices that are compared with the plain one. Their tests read tensors by `data`: WebGPU has no means for `dataSync`. */
export const acceleratedDevices: string[] = [...kernelDevices, ...(noWebgpu ? [] : ['webgpu'])];

/** Devices that are compared with the definition. */
export const testedDevices: string[] = ['cpu', ...acceleratedDevices];

/** Starts the devices, with so many threads; tensorflow and webgpu on the CPU too, which the devices themselves refuse. */
export async function startTested(devices: readonly string[], threads: number): Promise<void> {
  for (const name of devices) {
    if (name === 'tensorflow') await startTensorflow(await buildAddon(installation as Installation));
    else if (name === 'webgpu') await startWebgpu(adapter as Adapter);
    else await startDevice(name, { threads });
  }
}

/** As describe and test, skipped where no C compiler is on PATH. */
export const describeNative = describe.if(hasCompiler);
export const testNative = test.if(hasCompiler);
