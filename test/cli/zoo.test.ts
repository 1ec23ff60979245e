/** `exp zoo import`, and experiments on imported zoos. */
import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { Random } from '../../src/base/random.ts';
import { getArchitecture } from '../../src/nets/registry.ts';
import { writeTorch } from '../../src/zoo/formats/write-torch.ts';
import { inspectZooFolder } from '../../src/zoo/import/fingerprint.ts';
import { openZoo } from '../../src/zoo/zoo.ts';
import { removeFixtures } from '../runner/fixture.ts';
import { ended, exp, inProcess, Program, parseEvents, realProgram, spawn } from './program.ts';

// Processes take long to start on a busy machine.
setDefaultTimeout(300_000);
afterAll(removeFixtures);

const random = new Random(1, 'zoo');
const { state } = getArchitecture('cnn-small', { input: [28, 28, 1], classes: 10, width: null });
const epochs = [1, 2];

/** A folder of checkpoint files with a list. */
async function listedZoo(dir: string): Promise<string> {
  mkdirSync(dir);
  const checkpoints = [];
  for (let model = 0; model < 10; model++) {
    for (const epoch of epochs) {
      const file = `${model}-${epoch}.pt`;
      const tensors = state.map(({ name, shape }) => ({
        name,
        shape,
        data: random.normals(shape.reduce((a, b) => a * b, 1)),
      }));
      if (model === 9 && epoch === 2) tensors[0]!.data[0] = Number.NaN;
      await writeTorch(join(dir, file), tensors);
      checkpoints.push({
        file,
        model,
        epoch,
        test_accuracy: random.uniform(),
        running_train_accuracy: random.uniform(),
      });
    }
  }
  writeFileSync(join(dir, 'zoo.json'), JSON.stringify({ dataset: 'glyphs', checkpoints }));
  return dir;
}

const experiment = (folder: string) => `name: imported
grid: {architecture: [cnn-small], dataset: [glyphs], task: [property-prediction]}
zoo: {import: ${folder}, checkpoints: [1, 2], split: [0.6, 0.2, 0.2]}
sane: {d_model: 16, latent_dim: 8, layers: 1, heads: 2, window: 48, epochs: 1, checkpoints: null}
property_prediction: {checkpoints: null}
tables: [1]
`;

describe('exp zoo import', () => {
  test('converts a zoo and tells what it left out; an experiment uses it, and what is in the folder is in the keys', async () => {
    const program = new Program({}, experiment('zoo'));
    const original = await listedZoo(join(program.root, 'original'));
    const out = join(program.root, 'zoo');
    const places = ['--store', program.store.root, '--out', program.out];
    expect((await inProcess(program.file, ...places)).err).toContain(`zoo.import: there is no folder ${out}`);

    const imported = await inProcess('zoo', 'import', original, '--out', out);
    expect(imported).toEqual({
      code: 0,
      out: `${out}: 10 models of cnn-small on glyphs, 19 checkpoints of epochs 1, 2\nuse it in an experiment with\n  zoo: {import: ${out}, checkpoints: [1, 2]}\n`,
      err: `left out: ${original}/9-2.pt: module_list.0.weight has numbers that are not finite: the model diverged\n`,
    });
    expect((await openZoo(out)).manifest.models).toHaveLength(10);
    expect(inspectZooFolder(out)).toMatchObject({ path: out, channels: 1 });

    const { code, err } = await exp(program.file, ...places);
    expect(err).not.toContain('failed');
    expect(code).toBe(0);
    const plan = async () =>
      parseEvents((await inProcess(program.file, ...places, '--dry-run', '--json')).out).filter(
        ({ event }) => event === 'stage',
      );
    const before = await plan();
    expect(before.map(({ stage, state: is }) => [stage, is])).toEqual([
      ['zoo-import', 'cached'],
      ['alignment', 'cached'],
      ['baseline-probes', 'cached'],
      ['baseline-probes', 'cached'],
      ['sane', 'cached'],
      ['property-prediction', 'cached'],
    ]);
    utimesSync(join(out, 'manifest.json'), 1, 1);
    expect((await plan()).map(({ state: is }) => is)).toEqual(new Array(6).fill('compute'));
  });

  test('says what is wrong', async () => {
    const program = new Program();
    const original = await listedZoo(join(program.root, 'original'));
    const cases: [string[], string][] = [
      [['import', original], 'zoo import needs --out\n  --out folder: a new folder for the zoo'],
      [['import', original, '--out', original], `${original} is not empty\n  --out a new folder`],
      [
        ['import', original, '--out', `${original}-a`, '--dataset', 'glyph'],
        'unknown dataset: glyph\n  did you mean glyphs?',
      ],
      [
        ['import', original, '--out', `${original}-a`, '--architecture', 'cnn-smal'],
        'unknown architecture: cnn-smal\n  did you mean cnn-small?',
      ],
      [
        ['import', original, '--out', `${original}-a`, '--epochs', '1-2'],
        '--epochs 1-2 is not a list of epochs\n  e.g. --epochs 21,22,23',
      ],
      [
        ['import', original, '--out', `${original}-a`, '--epochs', '7'],
        'the zoo has no checkpoint of the epochs 7; it has 1, 2: set zoo.checkpoints, or --epochs, to some of these',
      ],
      [['import'], 'zoo import needs <folder>\n  exp zoo import <folder>'],
    ];
    for (const [args, message] of cases)
      expect(await inProcess('zoo', ...args)).toEqual({ code: 2, out: '', err: `exp: ${message}\n` });
    const file = program.write('file', '');
    const onFile = await inProcess('zoo', 'import', original, '--out', file);
    expect([onFile.code, onFile.err]).toEqual([2, expect.stringContaining('not a directory')]);
    // An import that failed leaves nothing that would be in the way of the next.
    expect(readdirSync(program.root).filter((name) => /^(original|file)/.test(name))).toEqual([
      'file',
      'original',
    ]);
  });

  test('into the empty folder that it is called in; the line for YAML holds for experiments elsewhere, whatever the path', async () => {
    const program = new Program();
    const original = await listedZoo(join(program.root, 'original'));
    const here = join(program.root, "here, it's 100%: {a}");
    mkdirSync(here);
    const child = spawn(realProgram, ['zoo', 'import', original, '--out', '.'], {}, here);
    const { code, out } = await ended(child);
    expect(code).toBe(0);
    expect((await openZoo(here)).manifest.models).toHaveLength(10);
    expect(readdirSync(program.root).filter((name) => name.startsWith('here'))).toHaveLength(1);
    const line = /^ {2}(zoo: .*)$/m.exec(out)?.[1];
    expect(parse(line ?? '')).toEqual({ zoo: { import: here, checkpoints: [1, 2] } });
  });
});

describe('exp zoo init and exp zoo show', () => {
  const tensors = (name: string) =>
    state.map(({ name: one, shape }) => ({
      name: `${name}${one}`,
      shape,
      data: random.normals(shape.reduce((a, b) => a * b, 1)),
    }));
  const profiled = { name: 'model.total_ops', shape: [1], data: Float32Array.of(Number.POSITIVE_INFINITY) };

  test('from a folder of files to a zoo: names from paths, accuracies from a table; the rest is said', async () => {
    const program = new Program();
    const dir = join(program.root, 'runs');
    const rows = ['model,epoch,train_acc,test_acc,split'];
    for (const [i, model] of ['a', 'b', 'c'].entries()) {
      mkdirSync(join(dir, model), { recursive: true });
      for (const epoch of [5, 10]) {
        await writeTorch(join(dir, model, `epoch_${epoch}.pth.tar`), [...tensors('model.'), profiled]);
        rows.push(`${model},${epoch},${80 + epoch},${70 + i},${['train', 'val', 'test'][i]}`);
      }
    }
    writeFileSync(join(dir, 'a', 'notes.pt'), 'not a checkpoint');
    await writeTorch(join(dir, 'b', 'scaler.bin'), [{ name: 'scale', shape: [1], data: Float32Array.of(1) }]);
    const table = program.write('results.csv', `${rows.join('\n')}\n`);

    const written = await inProcess('zoo', 'init', dir, '--dataset', 'glyphs', '--csv', table);
    expect(written).toEqual({
      code: 0,
      out: `${join(dir, 'zoo.yaml')}: 3 models, 6 checkpoints\nuse it in an experiment with\n  zoo: {import: ${dir}, checkpoints: [5, 10]}\n  property_prediction: {gap: evaluated}\n`,
      err: `left out: ${join(dir, 'a', 'notes.pt')}: this is neither a file of torch.save nor safetensors\nleft out: ${join(dir, 'b', 'scaler.bin')}: no network: no tensor has a name that ends in "weight"\n`,
    });
    const list = parse(await Bun.file(join(dir, 'zoo.yaml')).text());
    expect(list.checkpoints[0]).toEqual({
      ...{ file: 'a/epoch_5.pth.tar', model: 'a', epoch: 5 },
      ...{ train_accuracy: 0.85, test_accuracy: 0.7, split: 'train' },
    });
    expect(await inProcess('zoo', 'init', dir)).toMatchObject({
      code: 2,
      err: `exp: ${join(dir, 'zoo.yaml')} is there already\n  remove it to write another\n`,
    });

    const shown = `${dir}
  architecture    cnn-small
  dataset         glyphs
  models          3
  checkpoints     6, of epochs 5, 10
  splits          train 1, val 1, test 1
  train accuracy  0.8500 to 0.9000
  test accuracy   0.7000 to 0.7200
  left out        0
`;
    expect(await inProcess('zoo', 'show', dir)).toEqual({ code: 0, out: shown, err: '' });
    const out = join(program.root, 'zoo');
    const unused = 'total_ops (no part of a layer)';
    expect(await inProcess('zoo', 'import', dir, '--out', out)).toMatchObject({
      code: 0,
      err: `not used: ${unused}\n`,
    });
    expect((await inProcess('zoo', 'show', out)).out).toBe(
      `${shown.replace(dir, out)}  not used        ${unused}\n`,
    );
  });

  test('without accuracies the list has to be completed', async () => {
    const program = new Program();
    const dir = join(program.root, 'runs');
    mkdirSync(dir);
    await writeTorch(join(dir, 'seed3.pt'), tensors(''));
    const table = program.write('validated.csv', 'model,val_acc\nseed3,0.5\n');
    const { out, err } = await inProcess('zoo', 'init', dir, '--csv', table);
    expect(err).toBe(
      'note: val_acc was taken for measures of the test images, as nothing else says what these are; where they are of validation images, so are the results\n',
    );
    expect(out).toContain(
      '1 checkpoint without a train_accuracy or test_accuracy will not be imported: write them in, or give --csv\nname the images that the models were trained on at the top of it, or give --dataset\n',
    );
    const text = await Bun.file(join(dir, 'zoo.yaml')).text();
    expect(text).toStartWith('# dataset: the images that the models were trained on, e.g. cifar-10\n');
    expect(parse(text)).toEqual({
      checkpoints: [{ file: 'seed3.pt', model: 'seed3', epoch: 0, test_accuracy: 0.5 }],
    });
    const bad = program.write('bad.csv', 'name,test_acc\na,0.5\n');
    rmSync(join(dir, 'zoo.yaml'));
    expect((await inProcess('zoo', 'init', dir, '--csv', bad)).err).toBe(
      `exp: ${bad}: expected a column file or model, found name, test_acc\n`,
    );
    expect((await inProcess('zoo', 'init', bad)).err).toBe(
      `exp: there is no folder ${bad}\n  exp zoo init <folder of checkpoints>\n`,
    );
    mkdirSync(join(program.root, 'empty'));
    expect((await inProcess('zoo', 'init', join(program.root, 'empty'))).err).toBe(
      `exp: ${join(program.root, 'empty')}: no checkpoint is in it: files of torch.save or safetensors\n`,
    );
    const other = program.write('other.csv', 'model,test_acc,train_acc\nseed4,0.5,0.6\n');
    expect((await inProcess('zoo', 'init', dir, '--csv', other)).err).toBe(
      `exp: ${other}: no row is of a checkpoint: its first is {"model":"seed4","test_accuracy":0.5,"train_accuracy":0.6}, a checkpoint is file seed3.pt, model seed3, epoch 0\n`,
    );
    const words = program.write('words.csv', 'model,test_acc\nseed3,high\n');
    expect((await inProcess('zoo', 'init', dir, '--csv', words)).err).toBe(
      `exp: ${words}:2: test_acc high is no number\n`,
    );
  });
});
