/**
 * What is told of the device tensorflow in every state of a machine: a driver of two GPUs that do not exist stands for the real
 * one, and folders for TensorFlow's. Where EXP_TENSORFLOW names a real one, that it is refused when it would compute on the CPU.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { findCompiler } from '../../src/tensor/devices/compile.ts';
import type { Diagnosis, Finding, Gpu } from '../../src/tensor/devices/registry.ts';
import { findInstallation } from '../../src/tensor/devices/tensorflow/installation.ts';
import { describeNative, noTensorflow } from './devices.ts';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'exp-tensorflow-')));
const project = new URL('../..', import.meta.url).pathname;
const driver = join(root, 'driver');
const toolkit = join(root, 'toolkit');

beforeAll(() => {
  const compiler = findCompiler();
  if (!compiler) return;
  for (const [folder, file] of [
    [driver, 'libcuda.so.1'],
    [toolkit, 'libcudart.so.12'],
    [toolkit, 'libcudnn.so.9'],
  ] as const) {
    mkdirSync(folder, { recursive: true });
    const source = join(import.meta.dir, 'fake-cuda.c');
    const { exitCode } = Bun.spawnSync([compiler, '-shared', '-fPIC', '-o', join(folder, file), source]);
    expect(exitCode).toBe(0);
  }
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A folder as a wheel's, whose libraries hold nothing. */
function wheel(name: string, buildInfo: string): string {
  const folder = join(root, name, 'tensorflow');
  const files = {
    'libtensorflow_cc.so.2': '',
    'libtensorflow_framework.so.2': '',
    'include/tensorflow/c/eager/c_api.h': '',
    'python/platform/build_info.py': buildInfo,
  };
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(join(folder, file, '..'), { recursive: true });
    writeFileSync(join(folder, file), content);
  }
  mkdirSync(join(root, name, 'tensorflow-9.8.7.dist-info'), { recursive: true });
  return folder;
}

const cudaBuild =
  "build_info = OrderedDict([('cuda_version', '12.5.1'), ('cudnn_version', '9'), ('is_cuda_build', True)])";
const cpuBuild = "build_info = OrderedDict([('is_cuda_build', False)])";

/** What a program prints in an environment that has nothing of TensorFlow or CUDA but what is given. */
async function run(code: string, env: Record<string, string>): Promise<{ out: string; err: string }> {
  const { LD_LIBRARY_PATH: _, EXP_TENSORFLOW: __, CUDA_VISIBLE_DEVICES: ___, ...rest } = process.env;
  const child = Bun.spawn([process.execPath, '-e', code], {
    cwd: project,
    env: { ...rest, XDG_CACHE_HOME: join(root, 'cache'), ...env },
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { out, err };
}

async function diagnose(env: Record<string, string>): Promise<Diagnosis> {
  const { out } = await run(
    `const { tensorflow } = await import('./src/tensor/devices/tensorflow/device.ts');
     console.log(JSON.stringify(await tensorflow.diagnose()));`,
    env,
  );
  return JSON.parse(out);
}

const finding = ({ findings }: Diagnosis, what: string) =>
  findings?.find((one) => one.what === what) as Finding;
const both = { LD_LIBRARY_PATH: `${driver}:${toolkit}` };
const remedy =
  "pip install --target ~/tensorflow 'tensorflow[and-cuda]'; export EXP_TENSORFLOW=~/tensorflow/tensorflow";

describeNative('the diagnosis of tensorflow', () => {
  test('names the GPUs, and tells where no TensorFlow is to be had', async () => {
    const diagnosis = await diagnose(both);
    expect(diagnosis).toMatchObject({
      starts: false,
      detail: 'no TensorFlow: EXP_TENSORFLOW is not set, and the package has downloaded none',
      remedy: `Run: ${remedy}  (or, for CUDA 11: bun pm trust @tensorflow/tfjs-node-gpu)`,
    });
    expect(finding(diagnosis, 'GPU')).toEqual({
      ...{ what: 'GPU', found: true },
      detail: '0: Fake H100, 80 GiB; 1: Fake A100, 40 GiB',
    });
    expect(finding(diagnosis, 'package').found).toBe(true);
  });

  test('tells of a driver that is missing, broken, or sees no GPU, before all else', async () => {
    const EXP_TENSORFLOW = wheel('any', cudaBuild);
    const of = async (env: Record<string, string>) => diagnose({ EXP_TENSORFLOW, ...env });
    const mend =
      'Repair it until nvidia-smi lists the GPU: restart the machine if the driver was just updated, otherwise reinstall it.';
    expect(await of({ ...both, FAKE_CUDA_BROKEN: '1' })).toMatchObject({
      detail: 'the NVIDIA driver does not work (cuInit: CUDA_ERROR_SYSTEM_DRIVER_MISMATCH)',
      remedy: mend,
    });
    expect(await of({ ...both, FAKE_CUDA_CRASHES: '1' })).toMatchObject({
      detail: 'the NVIDIA driver does not work (the program that asks it was ended by SIGABRT)',
      remedy: mend,
    });
    expect(await of({ ...both, CUDA_VISIBLE_DEVICES: '' })).toMatchObject({
      detail: 'CUDA_VISIBLE_DEVICES="" leaves no GPU visible',
      remedy: 'Unset it, or set it to the numbers of GPUs that nvidia-smi lists, such as 0.',
    });
  });

  test('tells of a folder that is no wheel, and of one for the CPU only', async () => {
    expect(await diagnose({ ...both, EXP_TENSORFLOW: root })).toMatchObject({
      starts: false,
      detail: `EXP_TENSORFLOW names no folder tensorflow of a wheel: ${root}/libtensorflow_cc.so.2 is not there`,
    });
    const folder = wheel('cpu', cpuBuild);
    expect(await diagnose({ ...both, EXP_TENSORFLOW: folder })).toMatchObject({
      starts: false,
      detail: `TensorFlow 9.8.7 in ${folder} is built for the CPU only`,
    });
  });

  test('tells which library of CUDA is missing, and finds those of the wheels beside', async () => {
    const folder = wheel('cuda', cudaBuild);
    const diagnosis = await diagnose({ LD_LIBRARY_PATH: driver, EXP_TENSORFLOW: folder });
    expect(diagnosis).toMatchObject({
      starts: false,
      detail: 'CUDA is missing (libcudart.so.12)',
      remedy: `Install it, or add its folder to LD_LIBRARY_PATH. The wheel includes its own: ${remedy}`,
    });
    expect(finding(diagnosis, 'cuDNN')).toMatchObject({
      found: false,
      detail: 'cuDNN is missing (libcudnn.so.9)',
    });
    const beside = join(root, 'cuda', 'nvidia', 'cuda_runtime', 'lib');
    mkdirSync(beside, { recursive: true });
    writeFileSync(join(beside, 'libcudart.so.12'), '');
    const found = await diagnose({ LD_LIBRARY_PATH: driver, EXP_TENSORFLOW: folder });
    expect(finding(found, 'CUDA')).toMatchObject({ found: true, detail: join(beside, 'libcudart.so.12') });
  });

  test('says why the addon cannot be compiled, and where the rest is', async () => {
    const diagnosis = await diagnose({ ...both, EXP_TENSORFLOW: wheel('broken', cudaBuild) });
    expect(diagnosis.starts).toBe(false);
    expect(diagnosis.detail).toMatch(
      /^the addon cannot be compiled: .* failed with exit code \d+: .*No such file.* Its whole message is in .*\.log$/,
    );
    expect(finding(diagnosis, 'addon').remedy).toContain('Install a C++ compiler');
  });

  test('gives each GPU the variable by which a process sees it alone, and an id that stays', async () => {
    const program = `
      const { findGpus } = await import('./src/tensor/devices/tensorflow/cuda.ts');
      console.log(JSON.stringify(findGpus()));`;
    const gpus = async (env: Record<string, string>): Promise<Gpu[]> =>
      JSON.parse((await run(program, { ...both, ...env })).out);
    const all = await gpus({});
    expect(all.map(({ env }) => env)).toEqual([{ CUDA_VISIBLE_DEVICES: '0' }, { CUDA_VISIBLE_DEVICES: '1' }]);
    // Of a batch system that gives only the second.
    const [second] = await gpus({ CUDA_VISIBLE_DEVICES: '1' });
    expect(second).toEqual(all[1] as Gpu);
    expect(await gpus((second as Gpu).env)).toEqual([second as Gpu]);
  });
});

describeNative('a process that has asked for the GPUs', () => {
  test('can be pinned to one of them yet', async () => {
    const { out } = await run(
      `const { tensorflow } = await import('./src/tensor/devices/tensorflow/device.ts');
       const { askForGpus, findGpus } = await import('./src/tensor/devices/tensorflow/cuda.ts');
       const { pinProcess } = await import('./src/runner/gpus.ts');
       await tensorflow.diagnose();
       const [, second] = await askForGpus();
       await pinProcess({ gpus: [second] }, () => {}, '${root}');
       console.log(JSON.stringify([second, findGpus()]));`,
      both,
    );
    const [second, found] = JSON.parse(out) as [Gpu, Gpu[]];
    expect(second.name).toBe('Fake A100');
    expect(found).toEqual([second]);
  });
});

test.if(process.platform === 'linux')(
  'settings reach C code, and those of the environment stay',
  async () => {
    const { out } = await run(
      `const { applySettings } = await import('./src/tensor/devices/tensorflow/settings.ts');
     const { dlopen } = await import('bun:ffi');
     applySettings();
     const { getenv } = dlopen('libc.so.6', { getenv: { args: ['cstring'], returns: 'cstring' } }).symbols;
     const names = ['TF_FORCE_GPU_ALLOW_GROWTH', 'NVIDIA_TF32_OVERRIDE'];
     console.log(names.map((name) => getenv(Buffer.from(name + '\\0'))).join(' '));`,
      { NVIDIA_TF32_OVERRIDE: '1' },
    );
    expect(out).toBe('true 1\n');
  },
);

describe.skipIf(noTensorflow !== undefined)(
  `with a real TensorFlow${noTensorflow ? ` (${noTensorflow})` : ''}`,
  () => {
    const EXP_TENSORFLOW = process.env.EXP_TENSORFLOW ?? '';
    // The user's, where the addon is compiled already. Of an empty one Bun makes folders of its own in the project.
    const cache = { XDG_CACHE_HOME: process.env.XDG_CACHE_HOME || join(homedir(), '.cache') };

    test('a driver that TensorFlow cannot use is found out, and the CPU does not take the place of the GPU', async () => {
      const { out } = await run(
        `const { startDevice } = await import('./src/tensor/devices/registry.ts');
       const error = await startDevice('tensorflow', { threads: 1 }).catch((error) => error);
       console.log(error.message);`,
        { ...both, EXP_TENSORFLOW, ...cache },
      );
      const installation = findInstallation();
      const why =
        'cuda' in installation && installation.cuda
          ? 'sees no GPU and would compute on the CPU\\. What it printed says why'
          : 'is built for the CPU only';
      expect(out).toMatch(new RegExp(`The device tensorflow cannot start: TensorFlow .* ${why}`));
    });

    test('too little memory is an error that is recognised', async () => {
      const { out } = await run(
        `const { startTensorflow } = await import('./src/tensor/devices/tensorflow/start.ts');
         const { buildAddon } = await import('./src/tensor/devices/tensorflow/build.ts');
         const { findInstallation } = await import('./src/tensor/devices/tensorflow/installation.ts');
         const { findTrouble } = await import('./src/tensor/devices/trouble.ts');
         const { tf } = await import('./src/tensor/tf.ts');
         await startTensorflow(await buildAddon(findInstallation()));
         try {
           tf.fill([2 ** 20, 2 ** 20], 1);
         } catch (error) {
           console.log(JSON.stringify(findTrouble(error.message)));
         }`,
        { EXP_TENSORFLOW, ...cache },
      );
      expect(JSON.parse(out)).toMatchObject({ kind: 'memory', line: expect.stringContaining('1048576') });
      // It may compile the addon first.
    }, 300_000);
  },
);
