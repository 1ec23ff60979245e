import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { parseArguments } from '../../src/commands/arguments.ts';
import { pretrained } from '../../src/commands/options.ts';
import { run } from '../../src/commands/run/command.ts';
import { removeFixtures } from '../runner/fixture.ts';
import { exp, inProcess, Program } from './program.ts';

// Processes take long to start on a busy machine.
setDefaultTimeout(300_000);
afterAll(removeFixtures);

const { sane } = pretrained;

describe('parseArguments', () => {
  test('a file alone is run', async () => {
    expect(await parseArguments(['a/b.yaml', '--set', 'a.b=-1', '--set=c.d=2', '--dry-run'])).toEqual({
      command: run,
      positionals: ['a/b.yaml'],
      values: new Map([['set', ['a.b=-1', 'c.d=2']]]),
      switches: new Set(['dry-run']),
    });
  });

  test('names of two words are commands of a group', async () => {
    const { command, positionals } = await parseArguments(['data', '--json', 'get', 'svhn', 'mnist']);
    expect([command.name, positionals]).toEqual(['data get', ['svhn', 'mnist']]);
  });

  const mistakes: [string[], string, string][] = [
    [['--json'], 'no experiment file is given', 'exp experiments/quickstart.yaml, or exp --help'],
    [['tabel', 'a.yaml'], 'tabel is neither a command nor a YAML file', 'did you mean table?'],
    [['a.yaml', '--dryrun'], 'run has no option --dryrun', 'did you mean --dry-run?'],
    [['completion', 'zsh', '-x'], 'completion has no option -x', 'its options: none'],
    [['a.yaml', '--jobs'], '--jobs needs a value', '--jobs n'],
    [['a.yaml', '--store='], '--store needs a value', '--store folder'],
    [['a.yaml', '--set', '--json'], '--set needs a value', '--set a.b=1'],
    [['a.yaml', '--json=1'], '--json takes no value', 'write just --json'],
    [['a.yaml', '--jobs', '1', '--jobs', '2'], '--jobs is given twice', 'give it once'],
    [['a.yaml', 'b.yaml'], 'b.yaml is one argument too many for run', 'exp run <file>'],
    [['why', 'a.yaml'], 'why needs <run>', 'exp why <file> <run>'],
    [
      ['table', 'a.yaml', '--fail-fast'],
      'table has no option --fail-fast',
      'its options: --set, --only, --store, --out, --layout, --all, --json',
    ],
    [['sample', 'a.pt', '--out', 'new'], 'sample needs --sane', `--sane path: ${sane.help}`],
    [['data'], 'data needs a command', 'exp data ls|get|check'],
    [['data', 'gt'], 'data has no command gt', 'did you mean get?'],
    [['data', 'fetch'], 'data has no command fetch', 'exp data ls|get|check'],
    [['data', 'get', 'svnh'], 'unknown dataset: svnh', 'did you mean svhn?'],
    [['completion', 'nushell'], 'unknown shell: nushell', 'choose from bash, zsh, fish'],
    [['table', 'a.yaml', '--layout', 'our'], 'unknown layout: our', 'did you mean ours?'],
    [['a.yaml', '--device', 'wsam'], 'unknown device: wsam', 'did you mean wasm?'],
  ];
  test.each(mistakes)('%j', async (args, message, hint) => {
    await expect(parseArguments(args)).rejects.toThrow(
      expect.objectContaining({ name: 'UsageError', message, hint }),
    );
  });
});

describe('the program', () => {
  test('without arguments shows its help, as an error', async () => {
    const { code, out, err } = await exp('--help');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(await exp('help')).toEqual({ code, out, err });
    expect(await exp()).toEqual({ code: 2, out: '', err: out });
  });

  test('shows its version', async () => {
    const { version } = await Bun.file(new URL('../../package.json', import.meta.url)).json();
    expect(await exp('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' });
  });

  const { file } = new Program();
  const mistakes: [string[], string][] = [
    [['--jbos', '2'], 'exp: run has no option --jbos\n  did you mean --jobs?\n'],
    [['--gpus', '0,x'], 'exp: --gpus 0,x is not a list of distinct GPUs\n  e.g. --gpus 0,2\n'],
    [['--gpus', '1,1'], 'exp: --gpus 1,1 is not a list of distinct GPUs\n  e.g. --gpus 0,2\n'],
    [['--jobs', '0'], 'exp: --jobs 0 is not a number of jobs\n  e.g. --jobs 2\n'],
    [['--device', 'wsam'], 'exp: unknown device: wsam\n  did you mean wasm?\n'],
    [['--set', 'sane'], 'exp: --set sane: expected name=value\n  e.g. --set sane.epochs=10\n'],
    [
      ['--set', 'sane.epochs=['],
      'exp: --set sane.epochs=[: the value is not YAML\n  e.g. --set sane.epochs=10\n',
    ],
    [['--only', 'mnist'], 'exp: --only mnist: expected name=value\n  e.g. --only dataset=mnist,seed=0,1\n'],
    [
      ['--data', '/no/such'],
      'exp: there is no data folder /no/such\n  give an existing one with --data or EXP_DATA\n',
    ],
  ];
  test.each(mistakes)('answers %j with what to write instead', async (args, err) => {
    expect(await inProcess(file, ...args)).toEqual({ code: 2, out: '', err });
  });

  test('answers mistakes of the experiment with its problems and no stack', async () => {
    const program = new Program({}, 'name: tiny\ngrid: {seeds: [1]}\n');
    const { code, out, err } = await inProcess(program.file);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('tiny.yaml:2:8 error grid.seeds: unknown key');
    expect(err).toContain('nothing was run');
    expect(err).not.toContain('    at ');
    expect((await inProcess(file, '--only', 'seed=9')).err).toContain('no run has seed=9');
    expect((await inProcess(file, '--set', 'sane.epoch=3')).err).toContain('did you mean sane.epochs?');
    expect((await inProcess('no-such.yaml')).err).toContain('there is no such file');
  });

  test('says which folder it may not use', async () => {
    const { code, err } = await inProcess(file, '--store', `${file}/inside`);
    expect(code).toBe(2);
    expect(err).toBe(
      `exp: the store ${file}/inside cannot be used: ENOTDIR: not a directory, mkdir '${file}/inside/plans'. Name another folder by --store.\n`,
    );
  });
});
