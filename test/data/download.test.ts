/** Finding published files, and bringing them: whole, interrupted, and wrong ones. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Random } from '../../src/base/random.ts';
import { findFile, type Publication } from '../../src/data/files.ts';
import type { PublishedFile } from '../../src/data/published.ts';
import { errorOf } from './published-files.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'download-'));
});
afterAll(() => rm(dir, { recursive: true }));

const md5 = (bytes: Uint8Array) => new Bun.CryptoHasher('md5').update(bytes).digest('hex');
const random = new Random(1, 'download');
const content = Uint8Array.from({ length: 300_000 }, () => random.integer(256));
const file: PublishedFile = { name: 'x.gz', md5s: [md5(content)], bytes: content.length };

/** What the server did and is to do. */
const server = {
  /** Ranges asked for, in order; null for everything. */
  requests: [] as (string | null)[],
  /** Bytes after which the connection ends, for each request; undefined: all. */
  breaks: [] as (number | undefined)[],
  ranges: true,
  content: content as Uint8Array,
  url: '',
};

let http: ReturnType<typeof Bun.serve>;
beforeAll(() => {
  http = Bun.serve({ port: 0, fetch: answer });
  server.url = `http://localhost:${http.port}`;
});
afterAll(() => http.stop(true));
beforeEach(() => Object.assign(server, { requests: [], breaks: [], ranges: true, content }));

function answer(request: Request): Response {
  if (new URL(request.url).pathname !== '/good/x.gz') return new Response('', { status: 404 });
  const range = request.headers.get('range');
  server.requests.push(range);
  const from = server.ranges ? Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0) : 0;
  const total = server.content.length;
  if (from >= total) return new Response('', { status: 416 });
  const headers: Record<string, string> =
    from > 0 ? { 'content-range': `bytes ${from}-${total - 1}/${total}` } : {};
  const status = from > 0 ? 206 : 200;
  const body = server.content.slice(from);
  const end = server.breaks.shift();
  if (end === undefined) return new Response(body, { status, headers });
  const stream = new ReadableStream({
    async start(controller) {
      controller.enqueue(body.subarray(0, end));
      // What was sent has to arrive before the connection ends.
      await Bun.sleep(100);
      controller.close();
    },
  });
  return new Response(stream, { status, headers });
}

let caches = 0;
const source = () => ({ dataDir: undefined, cacheDir: join(dir, `cache-${caches++}`), report: () => {} });
const publication = (...mirrors: string[]): Publication => ({
  dataset: 'thing',
  files: [file],
  installed: [join(dir, 'installed')],
  mirrors,
  remedy: 'install the package',
});
const good = () => publication(`${server.url}/good`);
const pathIn = ({ cacheDir }: { cacheDir: string }) => join(cacheDir, 'thing', 'x.gz');

/** The file is there, whole, and nothing besides. */
async function expectWhole(path: string) {
  expect(md5(await Bun.file(path).bytes())).toBe(file.md5s[0]);
  expect([existsSync(`${path}.part`), existsSync(`${path}.lock`)]).toEqual([false, false]);
}

async function leavePart(path: string, bytes: Uint8Array) {
  await mkdir(dirname(path), { recursive: true });
  await Bun.write(`${path}.part`, bytes);
}

describe('published files', () => {
  test('come from the first place that has them, and are checked', async () => {
    const user = join(dir, 'user');
    await mkdir(join(user, 'thing'), { recursive: true });
    await Bun.write(join(user, 'x.gz'), content);
    const from = { ...source(), dataDir: user };
    expect(await findFile(publication(), file, from)).toBe(join(user, 'x.gz'));
    await Bun.write(join(user, 'thing', 'x.gz'), 'other bytes');
    expect(await errorOf(() => findFile(publication(), file, from))).toBe(
      `${join(user, 'thing', 'x.gz')}: not the published x.gz (MD5 ${md5(Buffer.from('other bytes'))}, expected ${file.md5s[0]}). Remove it or replace it.`,
    );
  });

  test('may be packed as a package packs them', async () => {
    const from = { ...source(), dataDir: join(dir, 'user') };
    const repacked: PublishedFile = { ...file, md5s: [...file.md5s, md5(Buffer.from('other bytes'))] };
    expect(await findFile(publication(), repacked, from)).toBe(join(dir, 'user', 'thing', 'x.gz'));
  });

  test('that cannot be had give an error with every place and the remedy', async () => {
    const offline = { ...source(), dataDir: '/nowhere' };
    const message = await errorOf(() => findFile(publication('http://localhost:1/m'), file, offline));
    const lines = message.split('\n');
    expect(lines.slice(0, 7)).toEqual([
      'data set thing: x.gz is not here and could not be downloaded.',
      'Looked for:',
      '  /nowhere/thing/x.gz',
      '  /nowhere/x.gz',
      `  ${join(dir, 'installed', 'x.gz')}`,
      `  ${pathIn(offline)}`,
      'Tried to download:',
    ]);
    expect(lines[7]).toStartWith('  http://localhost:1/m/x.gz: ');
    expect(lines[8]).toBe(
      'Remedy: install the package, or put the files in a folder and name it with --data or EXP_DATA.',
    );
  });
});

describe('downloads', () => {
  test('are made once, from the first mirror that has the file, and tell how far they are', async () => {
    const reports: { done: number; total: number; unit: string }[] = [];
    const from = { ...source(), report: (one: (typeof reports)[number]) => void reports.push(one) };
    const mirrors = publication(`${server.url}/bad`, `${server.url}/good`);
    expect(await findFile(mirrors, file, from)).toBe(pathIn(from));
    expect(await findFile(mirrors, file, from)).toBe(pathIn(from));
    expect(server.requests).toEqual([null]);
    await expectWhole(pathIn(from));
    expect(reports.at(-1)).toEqual({ done: 300_000, total: 300_000, unit: 'bytes of x.gz' });
  });

  test('go to another folder where one is named', async () => {
    const folder = join(dir, 'mine');
    const path = await findFile(good(), file, source(), folder);
    expect(path).toBe(join(folder, 'thing', 'x.gz'));
    await expectWhole(path);
  });

  test('go on where they were interrupted, and no half file has the name', async () => {
    const from = source();
    server.breaks = [100_000, 50_000];
    for (const bytes of [100_000, 150_000]) {
      expect(await errorOf(() => findFile(good(), file, from))).toContain(
        `  ${server.url}/good/x.gz: the connection ended after ${bytes} of 300000 bytes\n`,
      );
      expect(existsSync(pathIn(from))).toBe(false);
      expect(await Bun.file(`${pathIn(from)}.part`).bytes()).toEqual(content.slice(0, bytes));
    }
    await expectWhole(await findFile(good(), file, from));
    expect(server.requests).toEqual([null, 'bytes=100000-', 'bytes=150000-']);
  });

  test('go on with the next mirror', async () => {
    const from = source();
    server.breaks = [120_000];
    await expectWhole(await findFile(publication(`${server.url}/good`, `${server.url}/good`), file, from));
    expect(server.requests).toEqual([null, 'bytes=120000-']);
  });

  test('begin anew where the server knows no ranges', async () => {
    const from = source();
    await leavePart(pathIn(from), content.slice(0, 1000));
    server.ranges = false;
    await expectWhole(await findFile(good(), file, from));
    expect(server.requests).toEqual(['bytes=1000-']);
  });

  test('begin anew where what was there is not the beginning of the file', async () => {
    const from = source();
    await leavePart(pathIn(from), new Uint8Array(1000));
    await expectWhole(await findFile(good(), file, from));
    expect(server.requests).toEqual(['bytes=1000-', null]);
  });

  test('are done where all of it had arrived', async () => {
    const from = source();
    await leavePart(pathIn(from), content);
    await expectWhole(await findFile(good(), file, from));
    expect(server.requests).toEqual(['bytes=300000-']);
  });

  test('of another content leave nothing behind', async () => {
    const from = source();
    server.content = new Uint8Array(5000);
    expect(await errorOf(() => findFile(good(), file, from))).toContain(
      `${server.url}/good/x.gz: not the published file: another MD5 sum (5000 bytes, published are 300000)`,
    );
    expect([pathIn(from), `${pathIn(from)}.part`].map(existsSync)).toEqual([false, false]);
  });

  test('that two ask for at once are made once', async () => {
    const from = source();
    const both = await Promise.all([findFile(good(), file, from), findFile(good(), file, from)]);
    expect(both).toEqual([pathIn(from), pathIn(from)]);
    expect(server.requests).toEqual([null]);
    await expectWhole(pathIn(from));
  });

  test('of a killed process go on', async () => {
    const from = source();
    // The server holds the connection open after these bytes.
    const stalling = Bun.serve({
      port: 0,
      fetch: () =>
        new Response(
          new ReadableStream({
            start: (controller) => controller.enqueue(content.slice(0, 80_000)),
          }),
        ),
    });
    const module = new URL('../../src/data/files.ts', import.meta.url).pathname;
    const asked = { ...good(), mirrors: [`http://localhost:${stalling.port}`] };
    const program = `
      import { findFile } from '${module}';
      await findFile(${JSON.stringify(asked)}, ${JSON.stringify(file)}, { cacheDir: '${from.cacheDir}', report: () => {} });`;
    const child = Bun.spawn([process.execPath, '-e', program], { stdout: 'ignore', stderr: 'inherit' });
    const part = `${pathIn(from)}.part`;
    while (!existsSync(part) || Bun.file(part).size < 80_000) await Bun.sleep(20);
    child.kill('SIGKILL');
    await child.exited;
    await stalling.stop(true);
    await expectWhole(await findFile(good(), file, from));
    expect(server.requests).toEqual(['bytes=80000-']);
  });
});
