import { describe, expect, test } from 'bun:test';
import { createRequire } from 'node:module';
import schema from '../../schemas/experiment.schema.json';
import {
  DeviceError,
  deviceNames,
  diagnoseDevices,
  memoryOf,
  startDevice,
} from '../../src/tensor/devices/registry.ts';
import { tf } from '../../src/tensor/tf.ts';
import { compiledDevices } from './devices.ts';

const threads = 1;
const diagnoses = await diagnoseDevices();
const named = (name: string) => diagnoses.find((diagnosis) => diagnosis.name === name);
const gpu = diagnoses.find(({ kind, starts }) => kind === 'gpu' && starts);

test('the names are those of the schema', () => {
  expect([...deviceNames].sort()).toEqual([...schema.$defs.device.enum].sort());
});

describe('diagnosis', () => {
  test('takes less than a second and leaves the active device as it is', async () => {
    await tf.setBackend('cpu');
    const start = performance.now();
    await diagnoseDevices();
    expect(performance.now() - start).toBeLessThan(1000);
    expect(tf.getBackend()).toBe('cpu');
  });

  test('says of each device what it is, and of one that cannot start what is missing and what to do', () => {
    expect(named('cpu')).toMatchObject({ kind: 'cpu', starts: true });
    expect(named('wasm')).toMatchObject({ kind: 'cpu', starts: true });
    for (const { starts, detail, remedy } of diagnoses) {
      expect(detail).not.toBe('');
      if (!starts) expect(remedy).toBeDefined();
    }
  });

  test('loads no tensor engine', async () => {
    const script = `
      const { diagnoseDevices } = await import('./src/tensor/devices/registry.ts');
      await diagnoseDevices();
      console.log(Object.keys(require.cache).filter((file) => file.includes('tfjs')).length);
    `;
    const root = new URL('../..', import.meta.url).pathname;
    const child = Bun.spawn([process.execPath, '-e', script], {
      cwd: root,
      stdout: 'pipe',
      stderr: 'inherit',
    });
    expect((await new Response(child.stdout).text()).trim()).toBe('0');
  });
});

describe('a device that is asked for', () => {
  test.each(['cpu', ...compiledDevices])('%s is started by its name', async (name) => {
    const notes: string[] = [];
    const device = await startDevice(name, { threads, note: (line) => notes.push(line) });
    expect(device.name).toBe(name);
    expect(tf.getBackend()).toBe(name);
    expect(notes).toEqual([]);
  });

  test('auto is the GPU, or else the fastest CPU device, and says so', async () => {
    const notes: string[] = [];
    const device = await startDevice('auto', { threads, note: (line) => notes.push(line) });
    const fastest = gpu ?? diagnoses.find(({ kind, starts }) => kind === 'cpu' && starts);
    expect(device.name).toBe(fastest?.name as string);
    expect(notes[0]).toStartWith(`device auto: ${device.name}`);
  });

  test('of an unknown name is an error that lists the names', async () => {
    const error = await startDevice('cuda', { threads }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(DeviceError);
    expect((error as DeviceError).message).toBe(
      `There is no device "cuda". The devices are ${deviceNames.join(', ')}.`,
    );
  });

  test.if(!gpu)('gpu, where none starts, is an error with every reason', async () => {
    const error = await startDevice('gpu', { threads }).catch((error: unknown) => error);
    expect((error as DeviceError).message).toStartWith('No device for "gpu" can start here');
    expect((error as DeviceError).message).toContain(named('tensorflow')?.detail as string);
  });

  test.if(!named('tensorflow')?.starts)(
    'tensorflow that cannot start is an error with the remedy',
    async () => {
      const error = await startDevice('tensorflow', { threads }).catch((error: unknown) => error);
      const { detail, remedy } = named('tensorflow') as { detail: string; remedy: string };
      expect(error).toBeInstanceOf(DeviceError);
      expect((error as DeviceError).message).toBe(`The device tensorflow cannot start: ${detail}. ${remedy}`);
      expect((error as DeviceError).remedy).toBe(remedy);
    },
  );
});

test('require, by which tfjs-node-gpu asks for tfjs, gives the copy that import gives', () => {
  const required = createRequire(import.meta.url)('@tensorflow/tfjs') as typeof tf;
  expect(required.engine()).toBe(tf.engine());
  expect(required.Tensor).toBe(tf.Tensor);
});

test('a device says what memory it has', () => {
  for (const name of ['cpu', 'native', 'wasm'])
    expect(memoryOf(name)).toEqual({ host: expect.any(Number), gpu: null });
  expect(memoryOf('wasm').host).toBeLessThanOrEqual(2 ** 32);
  expect(memoryOf('webgpu').gpu).toBe(2 ** 32);
  expect(() => memoryOf('abacus')).toThrow('There is no device "abacus".');
});
