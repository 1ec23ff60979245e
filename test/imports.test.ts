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
const experiment = ['experiment', ...base];
const stages = ['stages', ...experiment, ...sane];
const runner = ['runner', ...stages];
const commands = ['commands', 'report', ...runner];
/** For each room the rooms it may import from. */
const below: Record<string, readonly string[]> = {
  ...{ base, tensor, data, nets, zoo, sane, experiment, stages, runner, commands },
  report: ['report', ...experiment, ...data, 'nets', 'stages'],
  'cli.ts': commands,
};
/** Types of settings, which the rooms that do the work may know. */
const shared = new Set(['experiment/types.ts']);
/** What the rooms above see of the stages: what they are to a plan, and their results. */
const faces = ['registry.ts', 'catalogue.ts', 'stage.ts', 'result.ts'].map((name) => `stages/${name}`);

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

  test('into the stages are of their plans only, but for a worker, which loads their work', () => {
    const others = imports.filter(
      ({ from, to }) => to.startsWith('stages/') && !from.startsWith('stages/') && !faces.includes(to),
    );
    expect(others).toEqual([]);
    const ofRun = imports.filter(({ to, lazy }) => /^stages\/[\w-]+\/run\.ts$/.test(to) && !lazy);
    expect(ofRun).toEqual([]);
  });

  test('of planning and of tables reach descriptions, never what computes', () => {
    const plans = imports.map(({ from }) => from).filter((from) => /^stages\/[\w-]+\/plan\.ts$/.test(from));
    expect(new Set(plans).size).toBeGreaterThan(5);
    const reached = reach(
      (from) => /^(experiment|report)\//.test(from) || faces.includes(from) || plans.includes(from),
    );
    expect(reached).toContain('nets/registry.ts');
    const computing = /@tensorflow|^(sane|zoo)\/|^tensor\/(?!devices\/|kernels\/sources)|\/run\.ts$/;
    expect([...reached].filter((file) => computing.test(file))).toEqual([]);
  });

  test('of the threads that prepare data reach no tensor code', () => {
    const reached = reach((from) => /^(sane\/view|zoo\/augment)-thread\.ts$/.test(from));
    expect(reached).toContain('sane/views.ts');
    expect([...reached].filter((file) => file.includes('@tensorflow/') || file === 'tensor/tf.ts')).toEqual(
      [],
    );
  });
});

/** All that is loaded with these files. */
function reach(isStart: (file: string) => boolean): Set<string> {
  const reached = new Set<string>();
  const visit = (file: string) => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const { from, to, typeOnly, lazy } of imports) if (from === file && !typeOnly && !lazy) visit(to);
  };
  for (const { from } of imports) if (isStart(from)) visit(from);
  return reached;
}
