/** Folders of images that an experiment names: names, keys, and what is wrong with them, at its line. */
import { afterAll, describe, expect, test } from 'bun:test';
import { cpSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { planExperiment } from '../../src/experiment/expand.ts';
import { loadExperiment } from '../../src/experiment/load.ts';
import { parseExperiment } from '../../src/experiment/parse.ts';
import { ExperimentError, formatProblems } from '../../src/experiment/problems.ts';
import type { Plan } from '../../src/experiment/types.ts';
import { groupRuns } from '../../src/report/groups.ts';
import { table01 } from '../../src/report/tables/table-01.ts';
import { estimatePlan } from '../../src/runner/estimate.ts';
import { Store } from '../../src/runner/store.ts';
import { catalogue } from '../../src/stages/catalogue.ts';
import { png } from '../data/published-files.ts';
import { mistakes, plan, valid } from './files.ts';

const root = mkdtempSync(join(tmpdir(), 'own-datasets-'));
afterAll(() => rmSync(root, { recursive: true }));

/** An image of 28 x 28 in each class and split, none of which can be decoded: planning reads one header. */
function write(folder: string, classes: string): string {
  for (const split of ['train', 'test']) {
    for (const name of classes) {
      const file = join(folder, split, name, '1.png');
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, png(new Uint8Array(28), [28, 28], { color: 0 }));
    }
  }
  return folder;
}
const folder = write(join(root, 'shapes'), 'ab');

const own = (where: string, more = '') =>
  `${valid.replace('glyphs', 'shapes')}datasets:\n  shapes: { folder: ${where}${more} }\n`;
const keysOf = ({ stages }: Plan) =>
  Object.fromEntries(stages.map(({ stage, key, config, options }) => [stage, { key, config, options }]));

test('its name is a value of the axis; what is in the folder is in the keys, and where it is not', () => {
  const planned = plan(own(folder));
  expect(planned.runs.map(({ dataset }) => dataset)).toEqual(['shapes', 'shapes']);
  const before = keysOf(planned);
  expect(before.dataset).toMatchObject({
    config: { dataset: 'shapes', images: { fingerprint: expect.stringMatching(/^[0-9a-f]{32}$/) } },
    options: { folder },
  });
  const copy = join(root, 'copy');
  cpSync(folder, copy, { recursive: true });
  const touch = (dir: string, name: string, seconds: number) => utimesSync(join(dir, name), seconds, seconds);
  for (const dir of [folder, copy])
    for (const split of ['train', 'test'])
      for (const name of ['a', 'b']) touch(dir, join(split, name, '1.png'), 1e9);
  const [here, there] = [folder, copy].map((dir) => keysOf(plan(own(dir)))) as [typeof before, typeof before];
  const keys = (of: typeof before) => Object.values(of).map(({ key }) => key);
  expect(keys(there)).toEqual(keys(here));
  touch(copy, 'test/b/1.png', 1e9 + 1);
  const changed = keysOf(plan(own(copy)));
  for (const stage of Object.keys(here))
    expect([stage, changed[stage]!.key]).not.toEqual([stage, here[stage]!.key]);
  expect(keysOf(plan(own(folder, ', resize: 28'))).dataset!.config.images).toMatchObject({ resize: 28 });
  // What the program knows has the keys that it had, whatever else is written there.
  expect(keysOf(plan(`${valid}datasets:\n  shapes: { folder: ${folder} }\n`))).toEqual(keysOf(plan(valid)));
});

test('an imported zoo is told the shape of its images', () => {
  const zoo = 'zoo:\n  import: anywhere\n';
  const inspectFolder = (path: string) => ({ path, fingerprint: '0' });
  const planned = plan(own(folder).replace('zoo:\n', zoo), { inspectFolder });
  expect(keysOf(planned)['zoo-import']!.config).toMatchObject({
    dataset: 'shapes',
    images: { name: 'shapes', shape: [28, 28, 1] },
  });
});

test('one that stands for another has its recipe, and is shown in its place by its own name', () => {
  const ten = write(join(root, 'ten'), 'abcdefghij');
  const text = own(ten, ', stands_for: mnist');
  expect(mistakes(text)).toContain('train_images: data set shapes has 10 training images'); // the recipe has 50,000
  const { runs, stages } = plan(`${text}data: { train_images: 10 }\n`);
  expect(plan(own(folder)).runs[0]!.settings.data.train_images).toBe(null);
  expect(stages.find(({ stage }) => stage === 'dataset')!.config).not.toHaveProperty('images.stands_for');
  const titles = (of: typeof runs) =>
    groupRuns(table01, of)
      .filter(({ runs }) => runs.length > 0)
      .map(({ title, conditions: [first] }) => ({ title, first }));
  expect(titles(runs)).toEqual([
    {
      title: 'shapes (paper: MNIST)',
      first: { setting: 'dataset', value: 'shapes', paper: 'MNIST' },
    },
  ]);
  expect(titles(plan(own(folder)).runs)).toEqual([]);
});

test('time and disk are estimated by what its images are like', () => {
  const estimate = (of: Plan) => {
    const states = new Map(of.stages.map(({ key }) => [key, { state: 'compute' as const, why: '' }]));
    const { stages, bytes } = estimatePlan(of, states, new Store(join(root, 'store')), 1, 1);
    const [zoo] = of.stages.filter(({ stage }) => stage === 'zoo');
    return { seconds: stages.get(zoo!.key)!.seconds, bytes };
  };
  const few = estimate(plan(own(folder))); // two training images
  const imageFolder: typeof catalogue.imageFolder = (name, images) => ({
    ...catalogue.imageFolder(name, images),
    counts: { train: 10_000, test: 2 },
  });
  const some = estimate(
    planExperiment(parseExperiment(own(folder), 'e.yaml', { ...catalogue, imageFolder })),
  );
  const glyphs = estimate(plan(`${valid}data: { train_images: 10000 }\n`)); // as large, of more classes
  expect(few.seconds).toBeLessThan(glyphs.seconds / 2);
  expect(some.seconds / glyphs.seconds).toBeWithin(0.8, 1);
  expect(some.bytes).toBeGreaterThan(20 * 4 * 2464);
});

test('what is done with its images counts for whether networks take them', () => {
  const text = `${own(folder, ', resize: 32')}data:\n  resize: 28\n`;
  expect(plan(text).runs.length).toBe(2);
});

describe('a mistake is shown at its line', () => {
  test('more images than there are, in full', () => {
    expect(mistakes(`${own(folder)}data: { train_images: 10, test_images: null }\n`)).toBe(
      [
        'e.yaml:14:23 error data.train_images: data set shapes has 2 training images (run seed=0)',
        '  14 | data: { train_images: 10, test_images: null }',
        '     |                       ^^',
        '  received 10',
        '  lower data.train_images, or set it to null for all of them',
        '',
        '1 mistake, nothing was run.',
      ].join('\n'),
    );
  });

  test('more images than the data sets have that a run is trained, prompted and measured on; those that are drawn have no end', () => {
    const few = 'data: { test_images: 20000 }\n';
    expect(plan(valid + few).runs.length).toBe(2);
    const known = valid.replace('glyphs', 'mnist');
    const message = (name: string, has: number) =>
      `data.test_images: data set ${name} has ${has} test images`;
    expect(mistakes(known + few)).toContain(message('mnist', 10_000));
    const generated = valid.replace('property-prediction', 'generation') + few;
    expect(
      mistakes(`${generated}generation: { target_dataset: svhn }\n`.replace('20000', '30000')),
    ).toContain(message('svhn', 26_032));
    expect(mistakes(`${generated}generation: { prompt_zoo: { dataset: usps } }\n`)).toContain(
      message('usps', 2007),
    );
    const inspectFolder = (path: string) => ({ path, fingerprint: '0' });
    const imported = known.replace('zoo:', 'zoo:\n  import: anywhere') + few;
    expect(plan(imported, { inspectFolder }).runs.length).toBe(2); // reads no images
    expect(mistakes(imported, { inspectFolder, set: { 'sane.beta': 0.5 } })).toContain(
      message('mnist', 10_000),
    );
  });

  test('a folder that is no data set, in full', () => {
    const none = join(root, 'none');
    expect(mistakes(own(none))).toBe(
      [
        `e.yaml:13:21 error datasets.shapes.folder: there is no folder ${none}: name one with a folder of PNG or JPEG files for each class`,
        `  13 |   shapes: { folder: ${none} }`,
        `     |                     ${'^'.repeat(none.length)}`,
        '',
        '1 mistake, nothing was run.',
      ].join('\n'),
    );
  });

  test.each([
    [
      own(folder, ', resise: 32'),
      ['e.yaml:13:', 'datasets.shapes.resise: unknown key', 'did you mean resize?'],
    ],
    [own(folder, ', test_share: 1'), ['datasets.shapes.test_share', 'less than 1']],
    [
      own(folder, ', test_share: 0.5'),
      [`${folder} has its test images in a folder test: take test_share out`],
    ],
    [own('7'), ['datasets.shapes.folder']],
    [own(folder, ', stands_for: mnits'), ['datasets.shapes.stands_for', 'did you mean mnist?']],
    [own(folder, ', stands_for: glyphs'), ['datasets.shapes.stands_for', 'mnist']],
    [
      own(folder, ', stands_for: mnist'),
      ['datasets.shapes.stands_for: shapes has 2 classes, mnist has 10: accuracies cannot be compared'],
    ],
    [
      `${valid}datasets:\n  glyphs: { folder: ${folder} }\n`,
      ['datasets.glyphs: there is a data set glyphs already', 'call it otherwise, such as my-glyphs'],
    ],
    [
      `${own(folder)}data:\n  crop: 24\n`,
      ['cnn-small takes images of 28 x 28 pixels', 'these have 24 x 24 x 1'],
    ],
    [own(folder, ', resize: 32'), ['cnn-small takes images of 28 x 28 pixels', 'these have 32 x 32 x 1']],
    [
      `${valid.replace('glyphs', 'shapess')}datasets:\n  shapes: { folder: ${folder} }\n`,
      ['did you mean shapes?'],
    ],
  ])('%#', (text, parts) => {
    const message = mistakes(text);
    for (const part of parts) expect(message).toContain(part);
  });

  test('of a variable that is not set; paths begin at the experiment', async () => {
    const file = join(root, 'e.yaml');
    writeFileSync(file, own('shapes'));
    expect((await loadExperiment(file, catalogue)).catalogue.datasets.shapes).toMatchObject({
      ...{ shape: [28, 28, 1], classes: 2, folder: { path: folder } },
    });
    writeFileSync(file, own(`'$\{NO_SUCH_VARIABLE}/x'`));
    const error = await loadExperiment(file, catalogue).catch((error: Error) => error);
    expect(formatProblems(error as ExperimentError, { color: false })).toContain(
      `datasets.shapes.folder: $\{NO_SUCH_VARIABLE}/x: the environment has no variable NO_SUCH_VARIABLE`,
    );
    expect(error).toBeInstanceOf(ExperimentError);
  });
});
