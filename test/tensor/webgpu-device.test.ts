/** The device webgpu in processes of their own: what is told of it on SwiftShader, how adapters are pinned, and how it fails. */
import { afterAll, describe, expect, test } from 'bun:test';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findCompiler } from '../../src/tensor/devices/compile.ts';
import type { Diagnosis } from '../../src/tensor/devices/registry.ts';
import { findTrouble } from '../../src/tensor/devices/trouble.ts';
import { usableAdapters } from '../../src/tensor/devices/webgpu/adapters.ts';
import { packagesVariable } from '../../src/tensor/devices/webgpu/package.ts';
import { hasCompiler, noWebgpu } from './devices.ts';
import { copySwiftShader, swiftShader } from './webgpu-adapter.ts';

const root = mkdtempSync(join(tmpdir(), 'exp-webgpu-'));
afterAll(() => rmSync(root, { recursive: true }));
const project = new URL('../..', import.meta.url).pathname;
const name = 'SwiftShader Device (Subzero)';

async function run(code: string, env: Record<string, string>, cwd = project): Promise<string> {
  const { EXP_WEBGPU_ADAPTER: _, ...rest } = process.env;
  const child = Bun.spawn([process.execPath, '-e', code], {
    cwd,
    env: { ...rest, VK_DRIVER_FILES: swiftShader, ...env },
    stdout: 'pipe',
    stderr: 'ignore',
  });
  return (await child.stdout.text()).trim();
}

const diagnose = async (env: Record<string, string>): Promise<Diagnosis> =>
  JSON.parse(
    await run(
      `const { webgpu } = await import('./src/tensor/devices/webgpu/device.ts');
       console.log(JSON.stringify(await webgpu.diagnose()));`,
      env,
    ),
  );

const start = `
  const { startDevice } = await import('./src/tensor/devices/registry.ts');
  const { tf } = await import('./src/tensor/tf.ts');
  await startDevice('webgpu', { threads: 1 });`;

test('of the adapters that a name is a part of, the one of that very name is used, and software only where there is no other', () => {
  const adapter = (name: string, software = false) => ({ name, software, count: 1, driver: '', options: [] });
  const adapters = [adapter('A100'), adapter('A10'), adapter('A10 in software', true)];
  const used = (wanted?: string) => usableAdapters(adapters, wanted).map(({ name }) => name);
  expect(used()).toEqual(['A100', 'A10']);
  expect(used('a1')).toEqual(['A100', 'A10']);
  expect(used('a10')).toEqual(['A10']);
  expect(used('soft')).toEqual(['A10 in software']);
});

test('webgpu without its package does not start, and says what to install', async () => {
  // A copy of the engine outside the project finds none of its packages, and Bun fetches none where there is a folder for them.
  mkdirSync(join(root, 'node_modules'));
  for (const room of ['base', 'tensor'])
    cpSync(join(project, 'src', room), join(root, 'src', room), { recursive: true });
  const told = await run(
    `const { diagnoseDevices, startDevice } = await import('./src/tensor/devices/registry.ts');
     const { findings } = (await diagnoseDevices()).find(({ name }) => name === 'webgpu');
     const error = await startDevice('webgpu', { threads: 1 }).catch((error) => error);
     console.log(JSON.stringify([findings, error.message]));`,
    { [packagesVariable]: '' },
    root,
  );
  const detail = 'the optional package webgpu is not installed';
  const remedy = 'Run: bun add --no-save webgpu@0.6.2  (51 MB)';
  expect(JSON.parse(told)).toEqual([
    [{ what: 'package', found: false, detail, remedy }],
    `The device webgpu cannot start: ${detail}. ${remedy}`,
  ]);
});

describe.if(!noWebgpu && existsSync(swiftShader))('webgpu', () => {
  test('tells of a missing driver, of a software adapter only, and of a name that no adapter has', async () => {
    expect(await diagnose({ VK_DRIVER_FILES: join(root, 'none.json') })).toMatchObject({
      starts: false,
      detail: expect.stringMatching(/^no driver that WebGPU can use/),
      remedy: expect.stringContaining('apt-get install libvulkan1'),
    });
    expect(await diagnose({})).toMatchObject({
      starts: false,
      detail: `only software: ${name}, computing on the CPU`,
      remedy:
        'Choose the device native, which is much faster; to compute on software all the same, set EXP_WEBGPU_ADAPTER to its name and ask for --device webgpu.',
    });
    expect(await diagnose({ EXP_WEBGPU_ADAPTER: 'h100' })).toMatchObject({
      starts: false,
      detail: `no adapter has "h100" in its name, as EXP_WEBGPU_ADAPTER asks; there are: ${name}, computing on the CPU`,
    });
  });

  test.if(hasCompiler)('tells of a driver that crashes, and how to see more', async () => {
    const source = join(root, 'crash.c');
    writeFileSync(
      source,
      '#include <stdlib.h>\n__attribute__((constructor)) static void crash(void) { abort(); }\n',
    );
    const library = join(root, 'libcrash.so');
    const built = Bun.spawnSync([findCompiler() as string, '-shared', '-fPIC', '-o', library, source]);
    expect(built.exitCode).toBe(0);
    const path = join(root, 'crash.json');
    const ICD = { api_version: '1.0.5', library_path: library };
    writeFileSync(path, JSON.stringify({ file_format_version: '1.0.0', ICD }));
    const { findings } = await diagnose({ VK_DRIVER_FILES: path });
    expect(findings?.at(-1)).toEqual({
      ...{ what: 'driver', found: false, detail: 'the program that asks drivers was ended by SIGABRT' },
      remedy: `A driver fails, or the package webgpu: see what is printed by bun ${join(project, 'src/tensor/devices/webgpu/probe.ts')}; on Linux, VK_DRIVER_FILES=<path of its .json> chooses another driver.`,
    });
  });

  test('is no GPU on a software adapter that is named', async () => {
    expect(await diagnose({ EXP_WEBGPU_ADAPTER: 'swift' })).toMatchObject({
      ...{ kind: 'cpu', starts: true, detail: `0: ${name}, computing on the CPU` },
      gpus: [{ name, env: { EXP_WEBGPU_ADAPTER: name } }],
    });
    const refused = await run(
      `const { startDevice } = await import('./src/tensor/devices/registry.ts');
       await startDevice('gpu', { threads: 1 }).catch((error) => console.log(error.message));`,
      { EXP_WEBGPU_ADAPTER: 'swift' },
    );
    expect(refused).toContain('The device webgpu is taken only if asked for by name');
  });

  test('computes on the adapter that its process is pinned to', async () => {
    const VK_DRIVER_FILES = `${swiftShader}:${copySwiftShader(root, 'OtherShader Device')}`;
    const code = `${start}
      const { surveyAdapters, usableAdapters } = await import('./src/tensor/devices/webgpu/adapters.ts');
      const [used] = usableAdapters((await surveyAdapters()).adapters, process.env.EXP_WEBGPU_ADAPTER);
      console.log(used.name, (await tf.matMul(tf.ones([9, 30]), tf.ones([30, 9])).data())[5]);`;
    const names = ['SwiftShader', 'OtherShader'];
    const told = names.map((EXP_WEBGPU_ADAPTER) => run(code, { VK_DRIVER_FILES, EXP_WEBGPU_ADAPTER }));
    expect(await Promise.all(told)).toEqual(names.map((one) => `${one} Device (Subzero) 30`));
  });

  test('tells of adapters that their names do not tell apart, and takes the first of them', async () => {
    const twin = copySwiftShader(root, 'SwiftShader Device');
    const EXP_WEBGPU_ADAPTER = 'shader';
    const others = (count: number) =>
      `(${count} of this name or a part of it, of which WebGPU can use the first only; the device tensorflow uses all NVIDIA GPUs)`;
    const two = await diagnose({ VK_DRIVER_FILES: `${swiftShader}:${twin}`, EXP_WEBGPU_ADAPTER });
    expect(two.detail).toBe(`0: ${name}, computing on the CPU ${others(2)}`);
    expect(two.gpus?.map(({ name }) => name)).toEqual([name]);
    // A name that is a part of another's means the other, unless Dawn finds it first, which is the loader's choice.
    const part = copySwiftShader(root, 'Shader Device');
    const orders = [`${part}:${swiftShader}`, `${swiftShader}:${part}`];
    const told = orders.map((VK_DRIVER_FILES) => diagnose({ VK_DRIVER_FILES, EXP_WEBGPU_ADAPTER }));
    expect((await Promise.all(told)).map(({ detail }) => detail).sort()).toEqual([
      `0: Shader Device (Subzero), computing on the CPU; 1: ${name}, computing on the CPU`,
      `0: ${name}, computing on the CPU ${others(2)}`,
    ]);
  });

  test('keeps its memory in a training, and fails for a reason when the device is lost', async () => {
    const out = await run(
      `${start}
      const { AdamW } = await import('./src/tensor/optimizers.ts');
      const variable = tf.variable(tf.randomNormal([40, 40]));
      const optimizer = new AdamW([{ name: 'w', variable, decay: true }]);
      const held = [];
      for (let i = 0; i < 40; i++) {
        const { value, grads } = tf.variableGrads(() => tf.sum(tf.square(tf.matMul(variable, variable))), [variable]);
        optimizer.step({ w: grads[variable.name] }, { learningRate: 0.01 });
        await value.data();
        tf.dispose([value, grads]);
        held.push([tf.memory().numTensors, tf.backend().memory().numBytesAllocatedInGPU]);
      }
      console.log(JSON.stringify([held[20], held[39]]));
      tf.backend().device.destroy();
      try {
        for (let i = 0; i < 9; i++) await tf.add(variable, i).data();
      } catch (error) { console.log(error.message); }
      process.exit(0);`,
      { EXP_WEBGPU_ADAPTER: name },
    );
    const [held, message] = out.split('\n') as [string, string];
    const [early, late] = JSON.parse(held);
    expect(late).toEqual(early);
    expect(findTrouble(message)).toMatchObject({ kind: 'lost' });
  });
});
