/** `exp data ls`, `get` and `check`. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cifar10Layout } from '../../src/data/cifar.ts';
import { datasets } from '../../src/data/registry.ts';
import { tarGz } from '../data/published-files.ts';
import { ended, parseEvents, spawn } from './program.ts';

// Processes take long to start on a busy machine.
setDefaultTimeout(60_000);

const dir = mkdtempSync(join(tmpdir(), 'exp-data-'));
afterAll(() => rmSync(dir, { recursive: true }));

const program = new URL('./data-program.ts', import.meta.url).pathname;
const md5Of = (content: Uint8Array) => new Bun.CryptoHasher('md5').update(content).digest('hex');

const names = [...cifar10Layout.train, ...cifar10Layout.test];
let content: Uint8Array;
let mirror = '';
let server: ReturnType<typeof Bun.serve>;
beforeAll(async () => {
  content = await tarGz(
    Object.fromEntries(names.map((name) => [`${cifar10Layout.folder}/${name}`, new Uint8Array(3073)])),
  );
  server = Bun.serve({ port: 0, fetch: () => new Response(content as Uint8Array<ArrayBuffer>) });
  mirror = `http://localhost:${server.port}`;
});
afterAll(() => server.stop(true));

let folders = 0;
function newFolder(): string {
  const path = join(dir, `folder-${folders++}`);
  mkdirSync(path);
  return path;
}

interface Surroundings {
  cache?: string;
  /** EXP_DATA. */
  folder?: string;
  counts?: { train: number; test: number };
  mirror?: string;
  md5?: string;
}

/** Runs `exp data` with the data set `thing` and a cache of its own. */
function data(args: string[], { cache = newFolder(), folder = '', ...more }: Surroundings = {}) {
  const counts = { train: 5, test: 1 };
  const thing = { md5: md5Of(content), bytes: content.length, counts, mirror, ...more };
  const env = { EXP_TEST_DATASET: JSON.stringify(thing), XDG_CACHE_HOME: cache, EXP_DATA: folder };
  return ended(spawn(program, ['data', ...args], env));
}

describe('exp data ls', () => {
  test('shows every data set, where it is, or what there is to download', async () => {
    const folder = newFolder();
    const missing = await data(['ls']);
    expect(missing.code).toBe(0);
    for (const { name, classes } of Object.values(datasets))
      expect(missing.out).toMatch(new RegExp(`^${name} .* ${classes} classes .* images `, 'm'));
    expect(missing.out).toContain('drawn by the program');
    expect(missing.out).toContain(
      'stl-10         96x96x3    10 classes      5000 + 8000 images  photographs of ten kinds of things, 96x96 in colour\n    not here: 2.6 GB to download from http://ai.stanford.edu/~acoates/stl10\n',
    );
    expect(missing.out).toContain(
      `not here: ${Math.ceil(content.length / 1000)} kB to download from ${mirror}\n`,
    );
    writeFileSync(join(folder, 'thing.tar.gz'), content);
    const { out } = await data(['ls', 'thing', '--data', folder]);
    expect(out).toBe(
      `thing          32x32x3    10 classes            5 + 1 images  a thing\n    ${folder}\n`,
    );
    expect((await data(['ls', 'thing'], { folder })).out).toBe(out);
    const json = parseEvents((await data(['ls', 'thing', '--json', '--data', folder])).out);
    expect(json).toEqual([
      {
        ...{ event: 'dataset', name: 'thing', description: 'a thing', shape: [32, 32, 3], classes: 10 },
        images: { train: 5, test: 1 },
        files: [{ name: 'thing.tar.gz', bytes: content.length, path: join(folder, 'thing.tar.gz') }],
        mirrors: [mirror],
      },
    ]);
  });
});

describe('exp data get', () => {
  test('fetches into the cache or the folder of --data, and does nothing twice', async () => {
    const cache = newFolder();
    const cached = join(cache, 'sane-experiments', 'data', 'thing', 'thing.tar.gz');
    const got = await data(['get', 'thing', 'glyphs'], { cache });
    expect(got).toEqual({
      code: 0,
      out: `thing: ${cached}\nglyphs: drawn by the program, there is nothing to fetch\n`,
      err: '',
    });
    expect(md5Of(await Bun.file(cached).bytes())).toBe(md5Of(content));
    const again = await data(['get', 'thing', '--json'], { cache, mirror: 'http://localhost:1' });
    expect(parseEvents(again.out)).toEqual([
      { event: 'file', dataset: 'thing', name: 'thing.tar.gz', path: cached },
    ]);
    const folder = newFolder();
    const own = join(folder, 'thing', 'thing.tar.gz');
    expect((await data(['get', 'thing', '--data', folder])).out).toBe(`thing: ${own}\n`);
  });

  test('says what keeps it from it, and goes on with the others', async () => {
    const { code, out, err } = await data(['get', 'thing', 'glyphs'], { mirror: 'http://localhost:1' });
    expect(code).toBe(1);
    expect(out).toBe('glyphs: drawn by the program, there is nothing to fetch\n');
    expect(err).toContain(
      'exp: data set thing: thing.tar.gz is not here and could not be downloaded.\nLooked for:\n',
    );
    expect(err).toContain(
      '\nRemedy: ask someone, or put the files in a folder and name it with --data or EXP_DATA.\n',
    );
    const json = await data(['get', 'thing', '--json'], { md5: '0'.repeat(32) });
    expect([json.code, json.err]).toEqual([1, '']);
    const [event] = parseEvents(json.out);
    expect(event).toMatchObject({ event: 'failed', dataset: 'thing', name: 'thing.tar.gz' });
    expect(event?.reason).toContain('not the published file: another MD5 sum');
  });
});

describe('exp data check', () => {
  test('reads what is here and compares it with what was published', async () => {
    const folder = newFolder();
    const path = join(folder, 'thing.tar.gz');
    const check = (more: Surroundings = {}, ...args: string[]) =>
      data(['check', 'thing', '--data', folder, ...args], more);
    expect(await check()).toEqual({ code: 1, out: '- thing          not here\n', err: '' });
    writeFileSync(path, content);
    expect(await check()).toEqual({
      code: 0,
      out: '✓ thing          5 and 1 images, as published\n',
      err: '',
    });
    expect((await check({ counts: { train: 5, test: 2 } })).out).toBe(
      '✗ thing          5 and 1 images, published are 5 and 2\n',
    );
    const damaged = Uint8Array.from(content);
    damaged[60] = (damaged[60] as number) ^ 1;
    writeFileSync(path, damaged);
    const found = await check();
    expect(found.code).toBe(1);
    expect(found.out).toStartWith(`✗ thing          ${path}: not the published thing.tar.gz (MD5 `);
    // Even with the right checksum it has to be readable.
    const [event] = parseEvents((await check({ md5: md5Of(damaged) }, '--json')).out);
    expect(event).toMatchObject({ event: 'checked', dataset: 'thing', state: 'bad' });
    expect(event?.reason).toMatch(/Fetch the file again, or point --data at another copy\.$/);
  });

  test('of everything minds nothing that is not here', async () => {
    const { code, out } = await data(['check']);
    expect(code).toBe(0);
    expect(out).toContain('✓ glyphs         10000 and 2000 images, drawn by the program\n');
    expect(out).toContain('- svhn           not here\n');
  });
});

test('exp data says what is wrong with its arguments', async () => {
  const cases: [string[], string][] = [
    [['gt', 'svhn'], 'data has no action gt\n  did you mean get?'],
    [['fetch'], 'data has no action fetch\n  its actions are ls, get, check'],
    [['get'], 'data get needs names\n  exp data get mnist svhn'],
    [['get', 'svnh'], 'there is no data set svnh\n  did you mean svhn?'],
    [[], 'data needs a ls|get|check\n  exp data <ls|get|check> [name]...'],
    [['ls', '--data', '/nowhere'], 'the data folder /nowhere is not there\n  name one that is'],
  ];
  for (const [args, message] of cases)
    expect(await data(args)).toEqual({ code: 2, out: '', err: `exp: ${message}\n` });
});
