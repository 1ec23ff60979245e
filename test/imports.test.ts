/** The rooms of src/ and who may import whom: imports go down only, and planning knows no tensor. */
import { describe, expect, test } from 'bun:test';
import { dirname, join, relative } from 'node:path';
import { Glob } from 'bun';

const src = join(import.meta.dir, '..', 'src');
const base = ['base'];
const tensor = ['tensor', ...base];
const data = ['data', ...base];
const nets = ['nets', ...tensor];
const zoo = ['zoo', ...nets, ...data];
const sane = ['sane', ...zoo];
const stages = ['stages', ...sane];
/** For each room the rooms it may import from. */
const below: Record<string, readonly string[]> = {
  base,
  tensor,
  data,
  nets,
  zoo,
  sane,
  stages,
  experiment: ['experiment'],
  report: ['report', ...stages],
  runner: ['runner', 'experiment', ...stages],
  commands: ['commands', 'runner', 'report', 'experiment', ...stages],
  'cli.ts': ['commands', 'runner', 'report', 'experiment', ...stages],
};
/** Types that every room may know, because they are what travels between them. */
const shared = new Set(['experiment/types.ts']);

interface Import {
  from: string;
  to: string;
  typeOnly: boolean;
  lazy: boolean;
}

/** Every import between files of src/, and of packages (then `to` is the package's name). */
async function readImports(): Promise<Import[]> {
  const found: Import[] = [];
  for await (const from of new Glob('**/*.ts').scan(src)) {
    const text = await Bun.file(join(src, from)).text();
    const statements = text.matchAll(/^(?:import|export)\s+(type\s)?[^;]*?from\s+'([^']+)'/gm);
    const lazy = text.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g);
    const resolve = (to: string) => (to.startsWith('.') ? relative(src, join(src, dirname(from), to)) : to);
    for (const match of statements) {
      found.push({ from, to: resolve(match[2] as string), typeOnly: match[1] !== undefined, lazy: false });
    }
    for (const match of lazy)
      found.push({ from, to: resolve(match[1] as string), typeOnly: false, lazy: true });
  }
  return found;
}

const imports = await readImports();
const isLocal = (path: string) => path.endsWith('.ts') || path.endsWith('.json');

describe('imports', () => {
  test('go down only', () => {
    const upward = imports.filter(({ from, to, typeOnly }) => {
      if (!isLocal(to) || (typeOnly && shared.has(to))) return false;
      const room = from.split('/')[0] as string;
      return !(below[room] ?? []).includes(to.split('/')[0] as string) && !to.startsWith('..');
    });
    expect(upward).toEqual([]);
  });

  test('know every room', () => {
    const rooms = new Set(imports.map(({ from }) => from.split('/')[0] as string));
    expect([...rooms].filter((room) => !(room in below))).toEqual([]);
  });

  test('reach tfjs through tensor/tf.ts and the devices only', () => {
    const direct = imports.filter(
      ({ to, from }) => to.startsWith('@tensorflow/') && !from.startsWith('tensor/'),
    );
    expect(direct).toEqual([]);
  });

  test('of experiment and report, and of the threads that prepare data, reach no tensor code', () => {
    const reached = new Set<string>();
    const visit = (file: string) => {
      if (reached.has(file)) return;
      reached.add(file);
      for (const { from, to, typeOnly, lazy } of imports) if (from === file && !typeOnly && !lazy) visit(to);
    };
    const tensorless = /^(experiment|report)\/|^(sane\/view|zoo\/augment)-thread\.ts$/;
    for (const { from } of imports) if (tensorless.test(from)) visit(from);
    expect(reached).toContain('sane/views.ts');
    expect([...reached].filter((file) => file.includes('@tensorflow/') || file === 'tensor/tf.ts')).toEqual(
      [],
    );
  });
});
