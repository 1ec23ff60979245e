import { expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseDevice } from '../../src/runner/choose-device.ts';

test('a device that is named is the only one looked at: nothing is compiled for another', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'choose-'));
  const before = process.env.XDG_CACHE_HOME;
  process.env.XDG_CACHE_HOME = folder;
  try {
    expect((await chooseDevice('wasm')).passedOver).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  } finally {
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
    rmSync(folder, { recursive: true });
  }
});

test('a device that is named is that one, and auto a faster one of those that start', async () => {
  for (const name of ['cpu', 'wasm']) expect((await chooseDevice(name)).chosen.name).toBe(name);
  expect((await chooseDevice('auto')).chosen.name).not.toBe('cpu');
}, 300_000);
