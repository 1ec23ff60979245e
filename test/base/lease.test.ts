import { afterAll, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkLeases, Lease, leaseOwner } from '../../src/base/lease.ts';
import { Fixture, removeFixtures, until } from '../runner/fixture.ts';

afterAll(removeFixtures);

const module = new URL('../../src/base/lease.ts', import.meta.url).pathname;

test('one holder at a time', () => {
  const path = join(new Fixture().root, 'a.lease');
  const lease = Lease.take(path);
  expect(lease).toBeDefined();
  expect(Lease.take(path)).toBeUndefined();
  expect(leaseOwner(path)?.pid).toBe(process.pid);
  lease?.release();
  expect(existsSync(path)).toBe(false);
  const next = Lease.take(path);
  expect(next).toBeDefined();
  next?.release();
});

test('of a killed process is free, and of its living child is not', async () => {
  const path = join(new Fixture().root, 'a.lease');
  const program = `
    import { Lease } from '${module}';
    const lease = Lease.take('${path}');
    const child = require('node:child_process').spawn('sleep', ['60'], { stdio: ['ignore', 'ignore', 'ignore', lease.fd] });
    console.log(child.pid);
    setTimeout(() => {}, 60000);`;
  const holder = Bun.spawn([process.execPath, '-e', program], { stdout: 'pipe' });
  const { value } = await holder.stdout.getReader().read();
  const childPid = Number(new TextDecoder().decode(value));
  expect(leaseOwner(path)?.pid).toBe(holder.pid);
  holder.kill('SIGKILL');
  await holder.exited;
  expect(Lease.take(path)).toBeUndefined();
  process.kill(childPid, 'SIGKILL');
  let lease: Lease | undefined;
  await until(() => {
    lease = Lease.take(path);
    return lease !== undefined;
  }, 'the lease is free');
  lease?.release();
});

test('many processes exclude each other', async () => {
  const path = join(new Fixture().root, 'a.lease');
  const counter = `${path}.count`;
  await Bun.write(counter, '0');
  const program = `
    import { Lease } from '${module}';
    import { readFileSync, writeFileSync } from 'node:fs';
    for (let done = 0; done < 200; ) {
      const lease = Lease.take('${path}');
      if (!lease) continue;
      writeFileSync('${counter}', String(Number(readFileSync('${counter}', 'utf8')) + 1));
      lease.release();
      done++;
    }`;
  const children = [1, 2, 3].map(() => Bun.spawn([process.execPath, '-e', program]));
  expect(await Promise.all(children.map(({ exited }) => exited))).toEqual([0, 0, 0]);
  expect(await Bun.file(counter).text()).toBe('600');
});

test('a folder where locks work passes the check, and nothing stays behind', () => {
  const { root } = new Fixture();
  checkLeases(root, '--store');
  expect([...new Bun.Glob('lock-check*').scanSync(root)]).toEqual([]);
});
