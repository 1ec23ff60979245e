import { afterAll, describe, expect, test } from 'bun:test';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
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
  await store.commit(node, dir, record);
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
    expect(store.list([node.stage])).toHaveLength(1);
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
    const record = await Bun.file(join(store.folder(node), 'artefact.json')).json();
    // A bit of a name changed, and the number is where nobody looks.
    const { workload, ...rest } = record;
    writeFileSync(join(store.folder(node), 'artefact.json'), JSON.stringify({ ...rest, workloae: workload }));
    expect(store.find(node)).toMatchObject({ damage: 'artefact.json is no record of an artefact' });
    writeFileSync(join(store.folder(node), 'artefact.json'), '{}');
    expect(store.find(node)).toMatchObject({ damage: 'artefact.json is no record of an artefact' });
    rmSync(join(store.folder(node), 'artefact.json'));
    expect(store.find(node)).toMatchObject({
      damage: expect.stringContaining('artefact.json cannot be read'),
    });
  });

  test('is not read again as long as nobody touched it', async () => {
    const store = await commitOne();
    const memory = `${store.folder(node)}.verified.json`;
    const file = join(store.folder(node), 'sub/numbers.bin');
    const known = await Bun.file(memory).json();
    expect(Object.keys(known).sort()).toEqual(['artefact.json', 'sub/numbers.bin']);
    // A file whose identity is remembered is taken as it is, and one of another identity is read.
    const { size, mtimeNs, ctimeNs, ino } = statSync(file, { bigint: true });
    writeFileSync(file, new Uint8Array([1, 2, 4]));
    expect(await store.check(node)).toMatchObject({ state: 'damaged' });
    const now = statSync(file, { bigint: true });
    const identity = (one: typeof now) => `${one.size} ${one.mtimeNs} ${one.ctimeNs} ${one.ino}`;
    expect(known['sub/numbers.bin']).toEndWith(` ${size} ${mtimeNs} ${ctimeNs} ${ino}`);
    const forged = known['sub/numbers.bin'].replace(/ .*/, ` ${identity(now)}`);
    writeFileSync(memory, JSON.stringify({ ...known, 'sub/numbers.bin': forged }));
    expect(await verify(store.folder(node))).toBeUndefined();
    // doctor reads everything.
    expect(await verify(store.folder(node), { everything: true })).toContain('has another content');
    // What is remembered is no danger when it is damaged itself.
    for (const text of ['', '\0\0\0', '[]', '{"sub/numbers.bin":1}']) {
      writeFileSync(memory, text);
      expect(await verify(store.folder(node))).toContain('has another content');
    }
    writeFileSync(file, new Uint8Array([1, 2, 3]));
    expect(await verify(store.folder(node))).toBeUndefined();
  });

  test('whose record was changed is damaged', async () => {
    const store = await commitOne();
    const path = join(store.folder(node), 'artefact.json');
    writeFileSync(path, (await Bun.file(path).text()).replace('"seconds": 1', '"seconds": 2'));
    expect(await store.check(node)).toMatchObject({
      damage: 'artefact.json has another content than when it was written',
    });
  });

  test('names no host and no user', async () => {
    const store = await commitOne();
    const text = await Bun.file(join(store.folder(node), 'artefact.json')).text();
    expect(text).not.toContain(hostname());
    expect(Object.keys(JSON.parse(text).environment).sort()).toEqual([
      ...['bun', 'cores', 'cpu', 'device', 'gpu', 'platform'],
    ]);
  });

  test('that is damaged is set aside when it is computed again', async () => {
    const store = await commitOne();
    rmSync(join(store.folder(node), 'artefact.json'));
    await store.begin(node);
    expect(existsSync(`${store.folder(node)}.damaged/sub/numbers.bin`)).toBe(true);
    expect(store.find(node)).toBeUndefined();
    expect(store.list([node.stage])).toEqual([]);
  });
});

test('interrupted work is found again', async () => {
  const { store } = new Fixture();
  const { dir } = await store.begin(node);
  await Bun.write(join(dir, 'step'), '');
  expect(store.isBegun(node)).toBe(true);
  const again = await store.begin(node);
  expect(again.resumed).toBe(true);
  expect(readdirSync(again.dir)).toEqual(['step']);
  // Whoever began it before has no folder any more, and can finish nothing.
  expect(existsSync(dir)).toBe(false);
  expect(store.commit(node, dir, record)).rejects.toThrow('ENOENT');
  await store.commit(node, again.dir, record);
  expect(store.find(node)?.state).toBe('complete');
});

test('interrupted work of an earlier version is found again', async () => {
  const { store } = new Fixture();
  mkdirSync(store.partial(node), { recursive: true });
  writeFileSync(join(store.partial(node), 'step'), '');
  const { dir, resumed } = await store.begin(node);
  expect(resumed).toBe(true);
  expect(readdirSync(dir)).toEqual(['step']);
  expect(readdirSync(store.partial(node))).toEqual([basename(dir)]);
});

test('an artefact that another process finished after all stays as it is', async () => {
  const store = await commitOne();
  const { dir } = await store.begin(node);
  writeFileSync(join(dir, 'other'), '');
  await store.commit(node, dir, record);
  expect(readdirSync(store.folder(node)).sort()).toEqual(['artefact.json', 'sub']);
  expect(existsSync(store.partial(node))).toBe(false);
});

test('an artefact that is seen late is waited for', async () => {
  const store = await commitOne();
  renameSync(store.folder(node), `${store.folder(node)}.late`);
  setTimeout(() => renameSync(`${store.folder(node)}.late`, store.folder(node)), 300);
  expect(await store.checkLate(node)).toMatchObject({ state: 'complete' });
});

test('a failure is kept until the stage begins again', async () => {
  const { store } = new Fixture();
  await store.begin(node);
  await store.recordFailure(node, { reason: 'because', log: '/log' });
  expect(store.failure(node)).toEqual({ reason: 'because', log: '/log' });
  await store.begin(node);
  expect(store.failure(node)).toBeUndefined();
  writeFileSync(`${store.folder(node)}.failed.json`, new Uint8Array(40));
  expect(store.failure(node)).toBeUndefined();
});
