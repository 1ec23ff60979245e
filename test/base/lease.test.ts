import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describeOwner, isHeld, isHeldElsewhere, Lease, leaseOwner } from '../../src/base/lease.ts';
import { thisProcess } from '../../src/base/processes.ts';
import { Fixture, removeFixtures, until } from '../runner/fixture.ts';

afterAll(removeFixtures);

const module = new URL('../../src/base/lease.ts', import.meta.url).pathname;

const newPath = () => join(new Fixture().root, 'a.lease');

/** Starts a program that prints a line first, and returns it with that. */
async function start(program: string) {
  const source = `import { Lease } from ${JSON.stringify(module)};\n${program}\nsetTimeout(() => {}, 60_000);`;
  const child = Bun.spawn([process.execPath, '-e', source], { stdout: 'pipe' });
  const { value } = await child.stdout.getReader().read();
  return { child, line: new TextDecoder().decode(value).trim() };
}

async function takeSoon(path: string): Promise<Lease> {
  let lease: Lease | undefined;
  await until(() => {
    lease = Lease.take(path);
    return lease !== undefined;
  }, 'the lease is free');
  return lease as unknown as Lease;
}

test('one holder at a time', () => {
  const path = newPath();
  const lease = Lease.take(path);
  expect(lease?.check()).toBe(true);
  expect(Lease.take(path)).toBeUndefined();
  expect(isHeld(path)).toBe(true);
  expect(leaseOwner(path)?.pid).toBe(process.pid);
  expect(describeOwner(path)).toMatch(/^ \(process \d+ on .+\)$/);
  lease?.release();
  expect([existsSync(path), isHeld(path), describeOwner(path)]).toEqual([false, false, '']);
  const next = Lease.take(path);
  expect(next).toBeDefined();
  next?.release();
  expect(readdirSync(join(path, '..'))).toEqual(['data']);
});

test('of a killed process is free at once, and with a living worker of it is not', async () => {
  const path = newPath();
  const holder = await start(`console.log(JSON.stringify(Lease.take('${path}').name));`);
  const worker = await start(`console.log(Lease.join(${holder.line}) !== undefined);`);
  expect(worker.line).toBe('true');
  expect(leaseOwner(path)?.pid).toBe(holder.child.pid);
  holder.child.kill('SIGKILL');
  await holder.child.exited;
  expect(Lease.take(path)).toBeUndefined();
  expect(leaseOwner(path)?.pid).toBe(worker.child.pid);
  worker.child.kill('SIGKILL');
  (await takeSoon(path)).release();
});

test('is given back at the exit of a process', async () => {
  const path = newPath();
  const { child } = await start(`console.log(Lease.take('${path}') !== undefined); process.exit();`);
  await child.exited;
  expect(existsSync(path)).toBe(false);
});

test('cannot be joined when its holder has lost it', () => {
  const path = newPath();
  const lease = Lease.take(path) as Lease;
  rmSync(join(path, lease.name.holder));
  expect(Lease.join(lease.name)).toBeUndefined();
  expect(lease.check()).toBe(false);
  const next = Lease.take(path) as Lease;
  expect(Lease.join(lease.name)).toBeUndefined();
  lease.release();
  expect([next.check(), readdirSync(path)]).toEqual([true, [next.name.holder]]);
  next.release();
  expect(Lease.join(lease.name)).toBeUndefined();
  expect(existsSync(path)).toBe(false);
});

test('of an earlier version, a file, is held as long as its process lives', () => {
  const path = newPath();
  const host = hostname();
  writeFileSync(path, JSON.stringify({ pid: process.pid, host, since: '' }));
  expect(Lease.take(path)).toBeUndefined();
  writeFileSync(path, JSON.stringify({ pid: 2 ** 22 + 1, host, since: '' }));
  expect(isHeld(path)).toBe(false);
  Lease.take(path)?.release();
  expect(existsSync(path)).toBe(false);
});

test('many processes exclude each other', async () => {
  const path = newPath();
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

describe('on another machine', () => {
  beforeEach(() => {
    process.env.EXP_LEASE_SECONDS = '0.3';
  });
  afterEach(() => {
    delete process.env.EXP_LEASE_SECONDS;
  });

  /** A lease whose process this machine cannot ask about. */
  function hold(path: string, identity: object = { machine: 'another', host: 'node-7' }): string {
    mkdirSync(path);
    const file = join(path, crypto.randomUUID());
    const owner = { ...thisProcess(), ...identity, since: '' };
    writeFileSync(file, JSON.stringify(owner));
    return file;
  }

  test('is held as long as its file changes, and taken when it does not', async () => {
    const path = newPath();
    const file = hold(path);
    expect([isHeld(path), isHeldElsewhere(path)]).toEqual([true, true]);
    // Whatever its clock says.
    for (let at = 9000; at < 9005; at++) {
      utimesSync(file, at, at);
      expect(Lease.take(path)).toBeUndefined();
      await Bun.sleep(50);
    }
    const begin = performance.now();
    const lease = await takeSoon(path);
    expect(performance.now() - begin).toBeGreaterThan(200);
    expect([existsSync(file), isHeldElsewhere(path)]).toEqual([false, false]);
    lease.release();
  });

  test('or in a namespace that cannot say which, its number says nothing, whatever the host is called', async () => {
    const gone = Bun.spawn(['true']);
    await gone.exited;
    for (const pid of [gone.pid, process.pid]) {
      const path = newPath();
      const file = hold(path, { machine: null, start: undefined, host: hostname(), pid });
      expect([Lease.take(path), isHeldElsewhere(path)]).toEqual([undefined, true]);
      const lease = await takeSoon(path);
      expect(existsSync(file)).toBe(false);
      lease.release();
    }
  });

  test.skipIf(process.platform !== 'linux' || process.getuid?.() !== 0)(
    'or in a namespace of processes without an account of its own, a live holder is not taken for dead',
    async () => {
      const path = newPath();
      const module = new URL('../../src/base/lease.ts', import.meta.url).pathname;
      const program = `import { Lease } from '${module}';
        const lease = Lease.take('${path}');
        console.log('held');
        await Bun.sleep(700);
        process.exit(lease.check() ? 0 : 1);`;
      // Its number in there is one that no process out here has.
      const high = Number(await Bun.file('/proc/sys/kernel/pid_max').text()) - 10;
      const script = `echo ${high} > /proc/sys/kernel/ns_last_pid; "$0" -e "$1"; exit $?`;
      const command = ['unshare', '--pid', '--fork', 'sh', '-c', script, process.execPath, program];
      const holder = Bun.spawn(command, { stdout: 'pipe' });
      await holder.stdout.getReader().read();
      for (let i = 0; i < 10; i++) {
        expect(Lease.take(path)).toBeUndefined();
        await Bun.sleep(30);
      }
      expect(await holder.exited).toBe(0);
    },
  );

  test('is soon known to be held, or not', async () => {
    const path = newPath();
    const file = hold(path);
    const touching = setInterval(() => utimesSync(file, new Date(), new Date()), 50);
    expect(await Lease.takeFromDead(path)).toBeUndefined();
    clearInterval(touching);
    const other = newPath();
    hold(other);
    const lease = await Lease.takeFromDead(other);
    expect(lease?.check()).toBe(true);
    lease?.release();
  });

  test('time in which the observer stood still does not count', async () => {
    process.env.EXP_LEASE_SECONDS = '1.2';
    const path = newPath();
    hold(path);
    expect(Lease.take(path)).toBeUndefined();
    Bun.sleepSync(1250);
    expect(Lease.take(path)).toBeUndefined();
    rmSync(path, { recursive: true });
  });

  test('is kept by touching its file, and its loss is noticed', async () => {
    const path = newPath();
    const lease = Lease.take(path) as Lease;
    const file = join(path, lease.name.holder);
    const changed = () => statSync(file).mtimeMs;
    const before = changed();
    await until(() => changed() > before, 'the file is touched');
    rmSync(file);
    await until(() => lease.lost.aborted, 'the loss is noticed');
    const next = Lease.take(path);
    lease.release();
    expect(next?.check()).toBe(true);
    next?.release();
  });
});
