/** `exp --help`, the help of groups and of each command, all made of the registry. */
import { describe, expect, test } from 'bun:test';
import { commandHelp, groupHelp, overview } from '../../src/commands/help/text.ts';
import { commands, groupOf } from '../../src/commands/registry.ts';
import { exp } from './program.ts';

/** Terminals of 80 columns wrap a line that fills them. */
const tooLong = (text: string) => text.split('\n').filter((line) => Bun.stringWidth(line) > 79);

describe('the registry', () => {
  test('gives an option the same form in every command', () => {
    const forms = commands.flatMap(({ options }) =>
      Object.entries(options).map(([name, { value }]) => `${name} ${value !== undefined}`),
    );
    const names = [...new Set(forms)].map((form) => form.split(' ')[0]);
    expect(names).toEqual([...new Set(names)]);
  });

  test('has no command twice, and none with the name of a group', () => {
    const names = commands.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => groupOf(name).length > 0)).toEqual([]);
  });

  test.each(commands.map((command) => [command.name, command] as const))('loads %s', async (_, command) => {
    expect(await command.load()).toBeFunction();
  });
});

describe('help', () => {
  test('of everything names every command', () => {
    for (const { name } of commands) expect(overview()).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    expect(tooLong(overview())).toEqual([]);
  });

  test.each(commands.map((command) => [command.name, command] as const))(
    'of %s has its usage, options and examples in under 80 columns',
    (name, command) => {
      const text = commandHelp(command);
      expect(text).toStartWith(`Usage: exp ${name}`);
      for (const option of Object.keys(command.options))
        expect(text).toMatch(new RegExp(`^ {2}--${option}\\b`, 'm'));
      expect(command.examples.length).toBeGreaterThan(0);
      for (const { line } of command.examples) expect(text).toContain(`\n  ${line}\n`);
      expect(tooLong(text)).toEqual([]);
      expect(tooLong(groupHelp(name, [command]))).toEqual([]);
    },
  );

  test('is asked for in several ways', async () => {
    const zooImport = commands.find(({ name }) => name === 'zoo import')!;
    const run = commands.find(({ name }) => name === 'run')!;
    const cases: [string[], string][] = [
      [['zoo', 'import', '--help'], commandHelp(zooImport)],
      [['zoo', 'import', 'folder', '--no-such', '-h'], commandHelp(zooImport)],
      [['help', 'zoo', 'import'], commandHelp(zooImport)],
      [['zoo', '--help'], groupHelp('zoo', groupOf('zoo'))],
      [['help', 'zoo'], groupHelp('zoo', groupOf('zoo'))],
      [['my.yaml', '--help'], commandHelp(run)],
      [['-h'], overview()],
    ];
    for (const [args, out] of cases) expect(await exp(...args)).toEqual({ code: 0, out, err: '' });
    expect((await exp('help', 'smaple')).err).toBe('exp: unknown command: smaple\n  did you mean sample?\n');
    const firstWords = new Set(commands.map(({ name }) => name.split(' ')[0]));
    expect((await exp('help', 'check')).err).toBe(
      `exp: check is neither a command nor a YAML file\n  the commands are ${[...firstWords].join(', ')}\n`,
    );
  });
});
