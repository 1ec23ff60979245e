/** `exp ls`, `show`, `diff`, `export`, `rerun` and `gc` on what runs left in a store. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { Lease } from '../../src/base/lease.ts';
import { keptPlans } from '../../src/runner/plans.ts';
import { removeFixtures } from '../runner/fixture.ts';
import { experiment, inProcess, Program, parseEvents } from './program.ts';

setDefaultTimeout(300_000);
afterAll(removeFixtures);

const sweep = experiment('[0]').replace('seed:', 'sane.gamma: [0, 0.05], seed:');
let program: Program;
let store: string[];

const exp = (...args: string[]) => inProcess(...args, ...store);
const run = (...args: string[]) => inProcess(program.file, ...program.places, ...args);

beforeAll(async () => {
  program = new Program({}, sweep);
  store = ['--store', program.store.root];
  // An earlier version kept plans by their names; a run takes the place of that.
  mkdirSync(join(program.store.root, 'plans'), { recursive: true });
  writeFileSync(join(program.store.root, 'plans/tiny.json'), '{"name": "tiny", "runs": [], "stages": []}');
  expect((await run()).code).toBe(0);
});

/** The id that `ls` prints for a run. */
const idOf = async (gamma: string) => {
  const { out } = await exp('ls', 'tiny', '--json');
  return parseEvents(out).find(({ run }) => run === `sane.gamma=${gamma}`)?.id as string;
};

describe('exp ls', () => {
  test('lists experiments, and the runs of one', async () => {
    const experiments = (await exp('ls')).out;
    expect(experiments).toMatch(
      /: 1 experiment\n\nexperiment +runs +time +size +best +file\ntiny-[0-9a-f]{8} +2 of 2 done +[\d.]+ s +\d+.* r2 .*tiny\.yaml\n/,
    );
    const runs = await exp('ls', 'tiny');
    expect(runs.out).toMatch(/^tiny: 2 of 2 runs done/);
    expect(runs.out).toMatch(/\n[0-9a-f]{6} +sane\.gamma=0 +done +7 of 7 /);
    expect((await exp('ls', program.file)).out).toBe(runs.out);
  });

  test('names what there is instead of what there is not', async () => {
    expect(await exp('ls', 'tyny')).toEqual({
      ...{ code: 2, out: '' },
      err: 'exp: the store has no experiment tyny\n  did you mean tiny?\n',
    });
    expect((await inProcess('ls', '--store', '/no/such')).err).toBe(
      'exp: there is no store /no/such\n  name the folder with --store; exp run makes one beside the experiment file\n',
    );
  });
});

describe('a run', () => {
  test('is named by its axes in any order and as few as do, or by its id', async () => {
    const id = await idOf('0.05');
    const shown = await exp('show', id);
    expect(shown.out).toMatch(/^tiny\/sane\.gamma=0\.05 {2}done\n/);
    expect(shown.out).toMatch(/\nsane cnn-small\/glyphs seed 0 gamma=0\.05 +[0-9a-f]{16} +done /);
    for (const name of ['gamma=0.05', 'seed=0,gamma=0.05', 'tiny/sane.gamma=0.05,seed=0'])
      expect((await exp('show', name)).out).toBe(shown.out);
    expect((await exp('show', 'seed=0')).err).toBe(
      'exp: seed=0 is the name of 2 runs\n  say which: tiny-ID/sane.gamma=0  tiny-ID/sane.gamma=0.05\n'.replaceAll(
        'tiny-ID/',
        '',
      ),
    );
    expect((await exp('show', 'sane.gama=0.05')).err).toBe(
      'exp: unknown run: sane.gama=0.05\n  did you mean sane.gamma=0.05?\n',
    );
  });

  test('differs from another in settings and results', async () => {
    const { out } = await exp('diff', 'gamma=0', await idOf('0.05'));
    expect(out).toMatch(
      /^setting +tiny\/sane\.gamma=0 +tiny\/sane\.gamma=0\.05\nsane\.gamma +0 +0\.05\n\nresult /,
    );
    const [event] = parseEvents((await exp('diff', 'gamma=0', 'gamma=0.05', '--json')).out);
    expect(event?.settings).toEqual([{ setting: 'sane.gamma', values: ['0', '0.05'] }]);
  });
});

describe('exp export', () => {
  test('writes a row for each number, as CSV and as Parquet', async () => {
    const path = (end: string) => join(program.root, `runs.${end}`);
    const csv = await exp('export', program.file, '--runs', path('csv'));
    expect(csv.code).toBe(0);
    const [header, ...lines] = readFileSync(path('csv'), 'utf8').trimEnd().split('\r\n');
    expect(header).toStartWith('experiment,id,run,architecture,dataset,task,sane.gamma,seed,metric,');
    expect(csv.err).toBe(`${lines.length} rows written to ${path('csv')}\n`);
    await exp('export', program.file, '--runs', path('parquet'));
    const rows = await parquetReadObjects({ file: await Bun.file(path('parquet')).arrayBuffer() });
    expect(rows).toHaveLength(lines.length);
    const text = rows.map((row) =>
      Object.values(row)
        .map((value) => value ?? '')
        .join(','),
    );
    expect(text).toEqual(lines);
    expect(new Set(rows.map((row) => row['sane.gamma']))).toEqual(new Set([0, 0.05]));
  });

  test('says what it cannot write', async () => {
    expect((await exp('export', program.file, '--runs', 'runs.xlsx')).err).toBe(
      'exp: --runs runs.xlsx is neither CSV nor Parquet\n  e.g. --runs runs.csv\n',
    );
    const other = await exp('export', program.file, '--runs', 'a.csv', '--set', 'zoo.models=11');
    expect(other).toMatchObject({
      code: 1,
      err: `No run is finished in ${program.store.root}, so no file was written. Compute them with exp run.\n`,
    });
  });
});

describe('exp rerun and gc', () => {
  test('set aside, compute again, and remove what no plan needs', async () => {
    const names = (stage: string) =>
      readdirSync(join(program.store.root, stage)).filter((name) => !name.endsWith('.json'));
    const before = names('sane').sort();
    expect((await exp('rerun', program.file, '--stage', 'generation')).err).toBe(
      'exp: tiny has no stage generation\n  its stages are dataset, zoo, alignment, sane, baseline-probes, property-prediction\n',
    );
    // Held by another opening of the file, as by another process.
    const [node] = (await keptPlans(program.store))[0]?.stages.filter(({ stage }) => stage === 'sane') ?? [];
    const lease = Lease.take(program.store.lease(node!)) as Lease;
    expect((await exp('rerun', program.file, '--stage', 'zoo')).err).toContain(
      'is being computed by another process',
    );
    expect(names('zoo')).toHaveLength(1);
    expect((await exp('ls')).out).toContain('2 of 2 done');
    lease.release();

    const { out } = await exp('rerun', program.file, '--stage', 'sane', '--only', 'sane.gamma=0');
    expect(out).toMatch(
      /^sane .*gamma=0 .*\nproperty-prediction .*\n2 artefacts set aside\. exp run .* computes them again\.\n$/s,
    );
    expect((await exp('ls', 'tiny')).out).toMatch(/sane\.gamma=0 +to compute +5 of 7/);
    await run();
    expect(
      names('sane')
        .filter((name) => !name.includes('.'))
        .sort(),
    ).toEqual(before);

    const elsewhere = ['--out', join(program.root, 'changed'), '--data', program.data];
    const changes = ['--set', 'sane.epochs=3', '--only', 'sane.gamma=0'];
    expect((await exp(program.file, ...changes, ...elsewhere)).code).toBe(0);
    const partial = join(program.store.root, 'zoo', 'feedfeedfeedfeed.partial');
    mkdirSync(partial);
    writeFileSync(join(partial, 'half'), 'x'.repeat(5000));
    // What a store's folder has besides is nobody's of the program's.
    const others = ['photos/0123456789abcdef', 'zoo/notes'].map((name) => join(program.store.root, name));
    for (const path of others) mkdirSync(path, { recursive: true });
    const listed = await exp('gc');
    expect(listed.out).toMatch(/zoo\/feedfeedfeedfeed +unfinished +5\.0 kB\n/);
    expect(listed.out.match(/set aside/g)).toHaveLength(2);
    expect(listed.out).not.toContain('artefact ');
    expect(listed.err).toBe('Nothing was removed. --yes removes it without asking.\n');
    expect(existsSync(partial)).toBe(true);

    const held = Lease.take(`${partial.slice(0, -'.partial'.length)}.lease`) as Lease;
    expect((await exp('gc', '--yes')).out).toContain('zoo/feedfeedfeedfeed stays: it is in use\n');
    expect(existsSync(partial)).toBe(true);
    held.release();
    const ids = (await keptPlans(program.store)).map(({ id }) => id);
    expect(ids).toHaveLength(2);
    expect((await exp('gc', '--forget', 'tiny', '--yes')).err).toBe(
      `exp: 2 experiments are called tiny\n  say which: ${ids.join(', ')}\n`,
    );
    const changed = (await keptPlans(program.store)).find(({ origin }) => origin?.set['sane.epochs'] === 3);
    expect((await exp('gc', '--forget', changed?.id as string, '--yes')).out).toMatch(
      /\nsane\/[0-9a-f]{16} +artefact /,
    );
    expect(existsSync(partial)).toBe(false);
    expect(names('sane').sort()).toEqual(before);
    expect((await exp('gc')).out).toBe(`${program.store.root}: everything is needed\n`);
    expect((await exp('ls')).out).toContain('2 of 2 done');

    // Nothing is needed once the last plan is forgotten.
    const [last] = await keptPlans(program.store);
    const all = await exp('gc', '--forget', last?.id as string, '--yes');
    expect([all.code, all.err]).toEqual([0, '']);
    expect(names('sane')).toEqual([]);
    expect(others.map((path) => existsSync(path))).toEqual([true, true]);
  });

  test('remove nothing where no plan says what is needed', async () => {
    const other = new Program();
    mkdirSync(join(other.store.root, 'zoo', '0123456789abcdef'), { recursive: true });
    expect((await inProcess('gc', '--store', other.store.root, '--yes')).err).toBe(
      `exp: ${other.store.root} has no plan of an experiment, so that nothing says what is needed\n  run the experiments that are to stay once; what is finished is not computed again\n`,
    );
  });
});
