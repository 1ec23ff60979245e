/** Where tables go, and that those of another experiment stay as they are. */
import { afterAll, expect, test } from 'bun:test';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArguments } from '../../src/commands/arguments.ts';
import { claimFolder, openOutFolder } from '../../src/commands/out-folder.ts';
import { Fixture, removeFixtures } from '../runner/fixture.ts';
import { experiment, inProcess, Program } from './program.ts';

afterAll(removeFixtures);

const open = async (...args: string[]) => openOutFolder(await parseArguments(args), 'tiny');

test('other settings have a folder of their own', async () => {
  const program = new Program();
  program.write('package.json', '{}');
  const nameOf = async (...set: string[]) => {
    const { dir } = await open(program.file, ...set.flatMap((one) => ['--set', one]));
    return dir.slice(program.root.length + 1);
  };
  expect(await nameOf()).toBe('results/tiny');
  expect(await nameOf('zoo.seed=1', 'sane.epochs=3')).toBe('results/tiny,sane.epochs=3,zoo.seed=1');
  const long = await nameOf('sane.checkpoints=[1, 2]', `zoo.import=${'a/b'.repeat(40)}`);
  expect(long).toMatch(/^results\/tiny,sane\.checkpoints=_1,2_,zoo\.import=a_b[ab_]+-[0-9a-f]{8}$/);
  expect(await nameOf('sane.checkpoints=[1,2]', `zoo.import=${'a/b'.repeat(41)}`)).not.toBe(long);
});

test('tables of another file of the same name, or of other settings, are not overwritten', async () => {
  const program = new Program();
  const { root, out, file } = program;
  mkdirSync(out);
  await claimFolder(await open(file, '--out', out));
  expect(JSON.parse(readFileSync(join(out, 'experiment.json'), 'utf8'))).toEqual({
    file: '../tiny.yaml',
    set: {},
  });
  await open(file, '--out', out, '--only', 'seed=0');

  const other = program.write('other.yaml', experiment());
  const refused = await inProcess(other, '--out', out, '--store', join(root, 'store'));
  expect(refused).toMatchObject({ code: 2, out: '' });
  expect(refused.err).toMatch(
    /^exp: .*\/out has the tables of .*tiny\.yaml\n {2}give one of the two experiments another name, or name another folder by --out\n$/,
  );
  const changed = await inProcess('table', file, '--out', out, '--set', 'sane.epochs=3');
  expect(changed.err).toEndWith(
    'out has the tables of this experiment without --set\n  remove it, or name another folder by --out\n',
  );
  // An experiment that was moved is the same.
  rmSync(file);
  await open(other, '--out', out);
});

test('paths that are published name no people, and files far away are told apart all the same', async () => {
  const { root } = new Fixture();
  const folder = await open('/somewhere/else/tiny.yaml', '--out', root);
  expect(folder.owner).toEqual({ file: 'tiny.yaml', place: expect.stringMatching(/^[0-9a-f]{8}$/), set: {} });
  await claimFolder(folder);
  await open('/somewhere/else/tiny.yaml', '--out', root);
  await expect(open('/elsewhere/tiny.yaml', '--out', root)).rejects.toThrow(
    `${root} has the tables of another tiny.yaml`,
  );
});
