/** `exp completion`: the scripts in the shells that they are for. A shell that is not installed is skipped. */
import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exp } from './program.ts';

setDefaultTimeout(300_000);

const root = mkdtempSync(join(tmpdir(), 'exp-completion-'));
afterAll(() => rmSync(root, { recursive: true }));
mkdirSync(join(root, 'sub'));
for (const name of ['my.yaml', 'my file.yaml', 'a.pt']) writeFileSync(join(root, name), '');

async function scriptFor(shell: string): Promise<string> {
  const { code, out, err } = await exp('completion', shell);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const path = join(root, `.exp.${shell}`);
  writeFileSync(path, out);
  return path;
}

/** What a program prints in the folder of the test. */
async function output(command: string[]): Promise<string> {
  const child = Bun.spawn(command, { cwd: root, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  expect({ err: err.replace(/^.*compopt: not currently executing.*\n/gm, ''), code: child.exitCode }).toEqual(
    { err: '', code: 0 },
  );
  return out;
}

/** A command line up to the cursor, and what is offered in every shell. */
const cases: [line: string, offered: string[]][] = [
  ['exp sa', ['sample']],
  ['exp my', ['my file.yaml', 'my.yaml']],
  ['exp zoo im', ['import']],
  ['exp zoo import --arch', ['--architecture']],
  ['exp zoo import --architecture cnn', ['cnn-large', 'cnn-small']],
  ['exp my.yaml --retry', ['--retry-failed']],
  ['exp my.yaml --device w', ['wasm', 'webgpu']],
  ['exp table my.yaml --jo', []],
  ['exp sample --count ', []],
  ['exp data get cifar', ['cifar-10', 'cifar-100']],
  ['exp completion ', ['bash', 'fish', 'zsh']],
  ['exp embed a', ['a.pt']],
];

const folders = ['exp sample --out s', ['sub']] as const;

describe('exp completion', () => {
  test('bash', async () => {
    const script = await scriptFor('bash');
    const program = `source ${script}
      IFS=' ' read -ra COMP_WORDS <<< "$1"
      [[ $1 == *' ' ]] && COMP_WORDS+=('')
      COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
      _exp
      ((\${#COMPREPLY[@]} == 0)) || printf '%s\\n' "\${COMPREPLY[@]}" | sort`;
    for (const [line, offered] of [...cases, folders]) {
      const out = await output(['bash', '-c', program, 'bash', line]);
      expect([line, out]).toEqual([line, offered.map((word) => `${word}\n`).join('')]);
    }
  });

  test.skipIf(!Bun.which('fish'))('fish', async () => {
    const script = await scriptFor('fish');
    for (const [line, offered] of cases) {
      const out = await output(['fish', '--no-config', '-c', `source ${script}; complete -C '${line}'`]);
      const words = out
        .split('\n')
        .filter(Boolean)
        .map((row) => row.split('\t')[0] as string);
      expect([line, words.sort()]).toEqual([line, offered]);
    }
    const [line] = folders;
    const out = await output(['fish', '--no-config', '-c', `source ${script}; complete -C '${line}'`]);
    expect(out).toStartWith('sub/');
  });

  test.skipIf(!Bun.which('zsh'))('zsh', async () => {
    const script = await scriptFor('zsh');
    const found = join(root, '.found');
    // Completion works on a terminal only: this is what runs there. It writes down what is offered, and says when it has.
    writeFileSync(
      join(root, '.zsh-session'),
      `PS1= PS2=
      autoload -U compinit; compinit -u -D
      source ${script}
      compadd() {
        if [[ " \${@[1,(i)(-|--)]} " == *' -'[OAD]' '* ]]; then builtin compadd "$@"; return; fi
        local -a offered
        builtin compadd -O offered "$@"
        print -rl -- $offered >> ${found}
        builtin compadd "$@"
      }
      offer() { _main_complete; compstate[insert]=; compstate[list]=; print -r -- '===' >> ${found}; print FINISHED }
      zle -C offer complete-word offer
      bindkey '^I' offer
      print READY`,
    );
    const program = `zmodload zsh/zpty
      zpty shell zsh -f -i
      zpty -w shell "source ${join(root, '.zsh-session')}"
      zpty -r shell answer '*READY*'
      for line in "$@"; do
        zpty -w -n shell "$line"$'\\t'
        zpty -r shell answer '*FINISHED*'
        zpty -w -n shell $'\\x15'
      done
      zpty -d shell`;
    await output(['zsh', '-f', '-c', program, 'zsh', ...cases.map(([line]) => line)]);
    const sections = (await Bun.file(found).text()).split('===\n').slice(0, -1);
    const offered = sections.map((section) =>
      section.replaceAll('\\', '').split('\n').filter(Boolean).sort(),
    );
    expect(cases.map(([line], i) => [line, offered[i]])).toEqual(cases);
  });
});
