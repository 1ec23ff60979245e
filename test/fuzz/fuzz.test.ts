/** The program fuzz: its arguments, which tests it repeats, and what it prints for one that fails. */
import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findAreas } from './areas.ts';
import { help, parseArguments } from './arguments.ts';
import { summarize } from './rounds.ts';

const folder = await mkdtemp(join(tmpdir(), 'fuzz-'));
afterAll(() => rm(folder, { recursive: true }));

const seedModule = join(import.meta.dir, '..', 'seed.ts');
const write = (name: string, text: string) => Bun.write(join(folder, name), text);
await write('helper.ts', `export { testSeed } from '${seedModule}';`);
const testOf = (body: string) =>
  `import { expect, test } from 'bun:test';\nimport { testSeed } from '../helper.ts';\n${body}`;
await write('numbers/odd.test.ts', testOf(`test('the seed is odd', () => expect(testSeed % 2).toBe(1));`));
await write('numbers/odd-too.test.ts', testOf(`test('there is one', () => expect(testSeed).toBeNumber());`));
await write('fixed/no-seed.test.ts', `import { test } from 'bun:test';\ntest('nothing', () => {});`);
await write(
  'waiting/long.test.ts',
  testOf(`test('waits', async () => {
    await Bun.write('${join(folder, 'started')}', String(process.pid));
    await Bun.sleep(60_000);
  });`),
);

const program = join(folder, 'program.ts');
await write(
  'program.ts',
  `import { main } from '${join(import.meta.dir, 'main.ts')}';
process.exit(await main(process.argv.slice(2), '${folder}'));`,
);
const start = (...args: string[]) =>
  Bun.spawn([process.execPath, program, ...args], { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });

async function fuzz(...args: string[]) {
  const child = start(...args);
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { code: await child.exited, stdout, stderr };
}

describe('arguments', () => {
  const areas = ['nets/nets', 'tensor/native', 'tensor/native-kernels'];
  const parse = (...args: string[]) => parseArguments(args, areas, 77);

  test('are ten minutes of new seeds of all areas, or one round of a given seed', () => {
    expect(parse()).toEqual({ seed: 77, minutes: 10, areas });
    expect(parse('--seed', '5')).toEqual({ seed: 5, minutes: undefined, areas });
    expect(parse('--seed', '5', '--minutes', '0.5')).toEqual({ seed: 5, minutes: 0.5, areas });
    expect(parse('--help')).toBeUndefined();
  });

  test('select an area by its name, or all that contain a text', () => {
    expect(parse('--only', 'tensor/native')?.areas).toEqual(['tensor/native']);
    expect(parse('--only', 'native')?.areas).toEqual(['tensor/native', 'tensor/native-kernels']);
    expect(parse('--only', 'nets', '--only', 'kernels')?.areas).toEqual([
      'nets/nets',
      'tensor/native-kernels',
    ]);
  });

  test.each([
    [['--only', 'net/x'], '--only net/x: no area contains this; --help lists them'],
    [['--seed', '-1'], "Option '--seed' argument is ambiguous; --help lists the options"],
    [['--seed', '1.5'], '--seed 1.5: expected a whole number, e.g. --seed 123'],
    [['--minutes', '0'], '--minutes 0: expected a number above 0, e.g. --minutes 10'],
    [['--minutes', 'ten'], '--minutes ten: expected a number above 0, e.g. --minutes 10'],
    [['--minute', '1'], "Unknown option '--minute'; --help lists the options"],
  ])('%j are wrong', (args, message) => {
    expect(() => parse(...args)).toThrow(message);
  });

  test('of help name every area', () => {
    for (const area of areas) expect(help(areas)).toContain(`\n  ${area}`);
  });
});

test('areas are the files that use the seed, by a helper too', async () => {
  expect(await findAreas(folder)).toEqual(['numbers/odd', 'numbers/odd-too', 'waiting/long']);
  const own = await findAreas(join(import.meta.dir, '..'));
  expect(own).toContain('tensor/ops');
  expect(own).toContain('zoo/formats/fuzz');
  expect(own).not.toContain('imports');
});

describe('the program', () => {
  test('prints the failure, and the command that repeats it', async () => {
    const { code, stdout } = await fuzz('--seed', '4', '--only', 'numbers');
    expect(stdout).toStartWith('2 areas from seed 4 on\n');
    expect(stdout).toContain('(fail) the seed is odd');
    expect(stdout).toContain(
      'Failed: numbers/odd with seed 4. To repeat it:\n  bun run fuzz --seed 4 --only numbers/odd\n',
    );
    expect(stdout).toEndWith('1 failed of 2 runs of test files, 1 seed\n');
    expect(code).toBe(1);
  });

  test('passes where every test does', async () => {
    const { code, stdout } = await fuzz('--seed', '5', '--only', 'numbers/odd');
    expect(stdout).toBe('1 areas from seed 5 on\n0 failed of 1 runs of test files, 1 seed\n');
    expect(code).toBe(0);
  });

  test('takes the next seeds until the time is over', async () => {
    const { code, stdout } = await fuzz('--seed', '4', '--only', 'numbers/odd', '--minutes', '0.02');
    const summary = stdout.slice(stdout.indexOf('To repeat what failed:'));
    const seeds = [...summary.matchAll(/--seed (\d+)/g)].map(([, seed]) => Number(seed));
    expect(seeds).toEqual(seeds.map((_, i) => 4 + 2 * i));
    expect(seeds.length).toBeGreaterThan(1);
    expect(code).toBe(1);
  });

  test('ends at Ctrl-C with the summary, and kills what runs', async () => {
    const child = start('--only', 'waiting');
    const pidOf = async () =>
      Number(
        await Bun.file(join(folder, 'started'))
          .text()
          .catch(() => 0),
      );
    let pid = 0;
    while (!pid) [pid] = await Promise.all([pidOf(), Bun.sleep(10)]);
    child.kill('SIGINT');
    expect(await child.stdout.text()).toEndWith('0 failed of 0 runs of test files, 0 seeds\n');
    expect(await child.exited).toBe(0);
    expect(() => process.kill(pid, 0)).toThrow();
  });

  test('refuses wrong arguments with exit code 2', async () => {
    const { code, stdout, stderr } = await fuzz('--only', 'nothing');
    expect(stderr).toBe('fuzz: --only nothing: no area contains this; --help lists them\n');
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });
});

test('the summary repeats every command', () => {
  expect(summarize({ runs: 3, seeds: 2, failures: ['bun run fuzz --seed 1 --only a'] })).toBe(
    'To repeat what failed:\n  bun run fuzz --seed 1 --only a\n1 failed of 3 runs of test files, 2 seeds',
  );
});
