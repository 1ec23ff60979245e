import { expect, test } from 'bun:test';
import { chooseDevice } from '../../src/runner/choose-device.ts';

test('a device that is named is that one, and auto a faster one of those that start', async () => {
  for (const name of ['cpu', 'wasm']) expect((await chooseDevice(name)).chosen.name).toBe(name);
  expect((await chooseDevice('auto')).chosen.name).not.toBe('cpu');
}, 300_000);
