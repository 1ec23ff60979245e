import { afterAll, describe, expect, test } from 'bun:test';
import { existsSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeEnvironment } from '../../src/runner/environment.ts';
import { verify } from '../../src/runner/verify.ts';
import { Fixture, makePlan, removeFixtures } from './fixture.ts';

afterAll(removeFixtures);

const node = makePlan([0]).stages[0] as ReturnType<typeof makePlan>['stages'][number];
const record = {
  ...node,
  workload: { kind: 'test', amount: 1 },
  environment: describeEnvironment(null, null),
  timing: { finishedAt: new Date(0).toISOString(), seconds: 1, resumed: false },
};

async function commitOne() {
  const { store } = new Fixture();
  expect(store.find(node)).toBeUndefined();
  const { dir, resumed } = await store.begin(node);
  expect(resumed).toBe(false);
  await Bun.write(join(dir, 'sub/numbers.bin'), new Uint8Array([1, 2, 3]));
  await Bun.write(join(dir, 'sub/numbers.bin.77.tmp'), 'half of a file');
  await store.commit(node, record);
  return store;
}

describe('an artefact', () => {
  test('has a record of its files, without what a killed writer left', async () => {
    const store = await commitOne();
    const found = store.find(node);
    expect(found).toMatchObject({ state: 'complete', record: { key: node.key, config: node.config } });
    const sha256 = new Bun.CryptoHasher('sha256').update(new Uint8Array([1, 2, 3])).digest('hex');
    if (found?.state === 'complete')
      expect(found.record.files).toEqual({ 'sub/numbers.bin': { bytes: 3, sha256 } });
    expect(existsSync(store.partial(node))).toBe(false);
    expect(await verify(store.folder(node))).toBeUndefined();
    expect(store.list()).toHaveLength(1);
  });

  test('with a file missing, too short or changed is damaged', async () => {
    const store = await commitOne();
    const file = join(store.folder(node), 'sub/numbers.bin');
    writeFileSync(file, new Uint8Array([1, 2, 4]));
    expect(store.find(node)?.state).toBe('complete');
    expect(await verify(store.folder(node))).toBe(
      'sub/numbers.bin has another content than when it was written',
    );
    truncateSync(file, 2);
    expect(store.find(node)).toMatchObject({ damage: 'sub/numbers.bin has 2 bytes instead of 3' });
    rmSync(file);
    expect(store.find(node)).toMatchObject({ damage: 'sub/numbers.bin is missing' });
    writeFileSync(join(store.folder(node), 'artefact.json'), '{}');
    expect(store.find(node)).toMatchObject({ damage: 'artefact.json is no record of an artefact' });
    rmSync(join(store.folder(node), 'artefact.json'));
    expect(store.find(node)).toMatchObject({
      damage: expect.stringContaining('artefact.json cannot be read'),
    });
  });

  test('that is damaged is set aside when it is computed again', async () => {
    const store = await commitOne();
    rmSync(join(store.folder(node), 'artefact.json'));
    await store.begin(node);
    expect(existsSync(`${store.folder(node)}.damaged/sub/numbers.bin`)).toBe(true);
    expect(store.find(node)).toBeUndefined();
    expect(store.list()).toEqual([]);
  });
});

test('interrupted work is found again', async () => {
  const { store } = new Fixture();
  const { dir } = await store.begin(node);
  await Bun.write(join(dir, 'step'), '');
  expect(store.isBegun(node)).toBe(true);
  expect(await store.begin(node)).toEqual({ dir, resumed: true });
  expect(existsSync(join(dir, 'step'))).toBe(true);
});

test('a failure is kept until the stage begins again', async () => {
  const { store } = new Fixture();
  await store.begin(node);
  await store.recordFailure(node, { reason: 'because', log: '/log' });
  expect(store.failure(node)).toEqual({ reason: 'because', log: '/log' });
  await store.begin(node);
  expect(store.failure(node)).toBeUndefined();
});
