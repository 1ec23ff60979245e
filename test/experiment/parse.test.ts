import { describe, expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import { parseExperiment } from '../../src/experiment/parse.ts';
import { ExperimentError, formatProblems } from '../../src/experiment/problems.ts';
import { catalogue } from '../../src/stages/catalogue.ts';
import { testSeed } from '../seed.ts';
import { mistakes, plan, valid } from './files.ts';

describe('a mistake is shown with its place and the remedy', () => {
  test('in full', () => {
    expect(mistakes(valid.replace('models: 20', 'modles: 20'))).toBe(
      [
        'e.yaml:8:3 error zoo.modles: unknown key',
        '  8 |   modles: 20',
        '    |   ^^^^^^',
        '  did you mean models?',
        '',
        '1 mistake, nothing was run.',
      ].join('\n'),
    );
  });

  test.each([
    [
      'a misspelt name',
      'glyphs',
      'glyhps',
      ['e.yaml:4:13', 'one of glyphs, mnist, fashion-mnist', 'received "glyhps"', 'did you mean glyphs?'],
    ],
    [
      'a wrong type',
      'models: 20',
      'models: many',
      ['e.yaml:8:11', 'zoo.models: wrong type', 'expected a whole number', 'received "many"'],
    ],
    [
      'a number out of range',
      'models: 20',
      'models: 2',
      ['zoo.models: out of range', 'expected at least 3', 'received 2'],
    ],
    ['an unknown axis', '  seed:', '  sede:', ['e.yaml:6:3', 'grid.sede: unknown key', 'did you mean seed?']],
    [
      'an unknown setting as axis',
      '  seed: [0, 1]',
      '  sane.layer: [0, 1]',
      ['grid.sane.layer: there is no such setting', 'did you mean sane.layers?'],
    ],
    [
      'a wrong value of an axis',
      '  seed: [0, 1]',
      '  sane.layers: [1, 0]',
      ['e.yaml:6:20', 'grid.sane.layers.1: out of range', 'expected at least 1'],
    ],
    [
      'a table that there is not',
      'grid:',
      'tables: [1, 8]\ngrid:',
      ['e.yaml:2:13 error tables.1: unknown value', 'expected one of 1, 2, 3', 'received 8'],
    ],
    [
      'a misspelt layout',
      'grid:',
      'tables: [{table: 3, layout: our}]\ngrid:',
      [
        'tables.0.layout: unknown value',
        'expected one of side-by-side, ours, difference',
        'did you mean ours?',
      ],
    ],
    [
      'a key of another kind of table',
      'grid:',
      'tables: [{table: 3, rows: seed}]\ngrid:',
      ['tables.0.rows: a key that does not go with the others here', 'expected only table, layout, all'],
    ],
    [
      'a misspelt setting as rows',
      'grid:',
      'tables: [{rows: sane.gamm, metric: r2}]\ngrid:',
      [
        'tables.0.rows: unknown value',
        'names, which schemas/experiment.schema.json lists',
        'did you mean sane.gamma?',
      ],
    ],
    [
      'a table without a metric',
      'grid:',
      'tables: [{rows: sane.gamma}]\ngrid:',
      ['tables.0: the key metric is missing', 'add `metric:`'],
    ],
    [
      'a misspelt label',
      'grid:',
      'tables: [{rows: sane.gamma, metric: r2, where: {fature: sane}}]\ngrid:',
      ['tables.0.where.fature: unknown key', 'did you mean feature?'],
    ],
    [
      'a label of another metric',
      'grid:',
      'tables: [{rows: method, metric: r2}]\ngrid:',
      [
        'tables.0.rows: r2 has no label method',
        'expected an axis, a setting or one of feature, target, split',
      ],
    ],
    [
      'rows that are columns too',
      'grid:',
      'tables: [{rows: seed, columns: [task, seed], metric: r2}]\ngrid:',
      ['tables.0.columns: seed cannot be both rows and columns'],
    ],
    [
      'a table of another task',
      'grid:',
      'tables: [1, {table: 3}]\ngrid:',
      [
        'tables.1: Table 3 is of the task generation',
        'received task property-prediction',
        'leave the table out, or add the task to grid',
      ],
    ],
    [
      'a metric of another task',
      'grid:',
      'tables: [{rows: method, metric: accuracy}]\ngrid:',
      ['tables.0.metric: accuracy is of the task generation', 'received task property-prediction'],
    ],
    [
      'a batch larger than an epoch',
      'sane:\n',
      'sane:\n  windows_per_sample: 2\n  batch_size: 100\n',
      [
        'sane.batch_size: an epoch has only 84 windows: 14 training models, 3 checkpoints and 2 windows of each',
        'received a batch of 100',
        'lower sane.batch_size or raise zoo.models',
      ],
    ],
    ['an empty axis', '[0, 1]', '[]', ['grid.seed: empty, or too few values', 'expected at least 1']],
    ['a value that appears twice', '[0, 1]', '[1, 1]', ['the value 1 appears twice']],
    [
      'places of a zip that are the same',
      'zoo:\n',
      'zip:\n  - zoo.seed: [1, 2, 1, 1]\n    sane.layers: [1, 1, 2, 1]\nzoo:\n',
      ['zip.0.zoo.seed.3: entry 4 of these lists repeats entry 1'],
    ],
    [
      'a missing axis',
      '  dataset: [glyphs]\n',
      '',
      ['e.yaml:2:1', 'the grid has no dataset', 'add `dataset: [...]` to grid'],
    ],
    ['a missing key', 'name: test\n', '', ['the key name is missing', 'add `name:`']],
    ['an empty grid', /grid:\n( {2}.*\n)+/, 'grid: {}\n', ['grid: empty, or too few values']],
    ['a bad name', 'name: test', 'name: Test 1', ['name: not a valid name', 'lower-case letters and digits']],
    [
      'a key given twice',
      '  epochs: 5',
      '  epochs: 5\n  epochs: 6',
      ['e.yaml:10:3', 'this key appears twice', 'keep one of the two'],
    ],
    [
      'a split that does not add up',
      '  epochs: 5',
      '  split: [0.5, 0.2, 0.2]',
      ['zoo.split: the shares must add up to 1', 'a sum of 0.9'],
    ],
    [
      'a list where null or a list is wanted',
      '  epochs: 3',
      '  checkpoints: all',
      ['sane.checkpoints: wrong type', 'expected null or a list'],
    ],
    [
      'checkpoints after the end',
      '  epochs: 5',
      '  epochs: 5\n  checkpoints: [1, 9]',
      [
        'zoo.checkpoints: the zoo ends at epoch 5',
        'epochs 9',
        'raise zoo.epochs or leave these checkpoints out',
      ],
    ],
    [
      'epochs that the zoo does not keep',
      '  epochs: 3',
      '  checkpoints: [2]',
      ['sane.checkpoints: the zoo keeps the epochs 1, 3, 5', 'epochs 2', 'add them to zoo.checkpoints'],
    ],
    [
      'heads that do not divide',
      '  epochs: 3',
      '  heads: 3',
      ['sane.heads: heads must divide sane.d_model', '3 heads, a d_model of 1024'],
    ],
    [
      'permutations that are the same for all, but no number of them',
      '  epochs: 3',
      '  permutation_protocol: shared',
      [
        'sane.permutation_protocol: shared needs a number of permutations; with null every view draws a new one',
        'sane.permutations null',
        'set sane.permutations',
      ],
    ],
    [
      'the former name of the protocol with its former value',
      '  epochs: 3',
      '  shared_permutations: true',
      ['sane.permutation_protocol: wrong type', 'expected one of own, shared, pool', 'received true'],
    ],
    ['an odd d_model', '  epochs: 3', '  d_model: 7', ['sane.d_model: out of range', 'a multiple of 2']],
    [
      'a width of networks that have one only',
      '  epochs: 5',
      '  width: 16',
      [
        'zoo.width: cnn-small has a fixed width',
        'received a width of 16',
        'set zoo.width to null for this architecture',
      ],
    ],
    [
      'a width that prompts of another architecture would have',
      /\[cnn-small\][\s\S]*epochs: 5/,
      '[resnet18]\n  dataset: [glyphs]\n  task: [generation]\nzoo:\n  models: 20\n  width: 16\ngeneration:\n  prompt_zoo: {architecture: mini-alexnet}',
      [
        'generation.prompt_zoo.zoo.width: mini-alexnet has a fixed width',
        'set generation.prompt_zoo.zoo.width to null for this architecture',
      ],
    ],
    [
      'a prompt epoch that the zoo does not keep',
      'sane:\n',
      'generation:\n  prompt_epoch: 2\nsane:\n',
      ['generation.prompt_epoch: the zoo keeps the epochs 1, 3, 5', 'epoch 2', 'add it to zoo.checkpoints'],
    ],
    [
      "a prompt epoch that the prompts' own zoo does not keep",
      'sane:\n',
      'generation:\n  prompt_epoch: 3\n  prompt_zoo: {zoo: {epochs: 2}}\nsane:\n',
      [
        'generation.prompt_epoch: the zoo keeps the epochs 1, 2 (',
        'epoch 3',
        'add it to generation.prompt_zoo.zoo.checkpoints',
      ],
    ],
    [
      "checkpoints after the end of the prompts' own zoo",
      'sane:\n',
      'generation:\n  prompt_zoo: {zoo: {epochs: 2, checkpoints: [1, 3]}}\nsane:\n',
      [
        'generation.prompt_zoo.zoo.checkpoints: the zoo ends at epoch 2',
        'epochs 3',
        'raise generation.prompt_zoo.zoo.epochs or leave these checkpoints out',
      ],
    ],
    [
      "a prompts' own zoo too small for its split",
      'sane:\n',
      'generation:\n  prompt_zoo: {zoo: {models: 4}}\nsane:\n',
      [
        'generation.prompt_zoo.zoo.models: every split needs at least one model',
        'raise generation.prompt_zoo.zoo.models',
      ],
    ],
    [
      'a zoo too small for its split',
      'models: 20',
      'models: 4',
      ['every split needs at least one model', '4 models: 2 train, 0 validation, 2 test'],
    ],
    [
      'networks of several activations to draw among',
      '[property-prediction]\n  seed: [0, 1]\nzoo:',
      '[generation]\nzoo:\n  vary: {activation: [tanh, relu]}',
      [
        'zoo.vary: networks are drawn among models of one activation',
        'activations tanh, relu',
        'leave activation out of zoo.vary for generation',
      ],
    ],
    [
      'means of more prompts than there are',
      '[property-prediction]\n  seed: [0, 1]\n',
      '[generation]\ngeneration: {methods: [average], averaged: 3, prompt_count: 1}\n',
      [
        'generation.averaged: a mean is of different prompts, and there is 1',
        'received averaged 3',
        'lower it, raise generation.prompt_count, or take average out of generation.methods',
      ],
    ],
    [
      'a flow over hardly any prompts',
      '[property-prediction]\n  seed: [0, 1]\n',
      '[generation]\ngeneration: {methods: [flow], prompt_count: 2}\n',
      [
        'generation.methods: flow learns how prompts differ, and there are 2',
        'received prompt_count 2',
        'raise generation.prompt_count to at least 3, or take flow out of generation.methods',
      ],
    ],
    [
      'grey networks for images in colour',
      /\[glyphs\]\n {2}task: .*\n {2}seed: .*/,
      '[mnist]\n  task: [generation]\ngeneration: {target_dataset: cifar-10}',
      [
        "generation.target_dataset: the prompts' networks see images of 1 channel, those of cifar-10 have 3 channels here",
        'set data.grey to true',
      ],
    ],
    [
      'networks that their recipe makes grey for images in colour',
      /\[glyphs\]\n {2}task: .*\n {2}seed: .*/,
      '[svhn]\n  task: [generation]\ngeneration: {target_dataset: cifar-10}',
      ['networks see images of 1 channel, those of cifar-10 have 3 channels here', 'set data.grey to false'],
    ],
    [
      'networks in colour for images that are always grey',
      /\[cnn-small\][\s\S]*seed: .*/,
      '[cnn-large]\n  dataset: [cifar-10]\n  task: [generation]\ngeneration: {prompt_zoo: {dataset: stl-10}, target_dataset: usps}\ndata: {grey: false}',
      ['networks see images of 3 channels, those of usps have 1 channel here', 'set data.grey to true'],
    ],
    [
      'a network too large to be seen as a whole',
      /\[cnn-small\][\s\S]*seed: .*/,
      '[mini-alexnet]\n  dataset: [glyphs]\n  task: [generation]\ngeneration: {methods: [hyper-representation]}',
      [
        'generation.methods: hyper-representation encodes all weights of a network in one sequence, which is feasible for small networks only',
        'received architecture mini-alexnet',
      ],
    ],
    ['a broken line', 'name: test', 'name: "test', ['error', 'nothing was run']],
    ['a tab', '  models: 20', '\tmodels: 20', ['a tab indents this line', 'YAML is indented by spaces']],
    ['two documents', 'sane:', '---\nsane:', ['more than one document', 'remove the line ---']],
  ])('%s', (_, from, to, expected) => {
    const text = mistakes(valid.replace(from, to));
    for (const part of expected) expect(text).toContain(part);
    expect(text).toMatch(/^\S*e\.yaml:\d+:\d+ error/m);
  });

  test.each([
    [
      'zip of unequal lengths',
      'zip:\n  - {zoo.seed: [1, 2], sane.gamma: [0.1]}\n',
      ['zip.0: axes of one zip entry must be equally long', 'zoo.seed has 2, sane.gamma has 1'],
    ],
    [
      'an axis in grid and zip',
      'zip:\n  - {seed: [1, 2], sane.gamma: [0.1, 0.2]}\n',
      ['zip.0.seed: this axis is in the grid or in another zip entry already'],
    ],
    [
      'an override that matches nothing',
      'overrides:\n  - when: {seed: 7}\n    set: {sane.epochs: 9}\n',
      ['e.yaml:13:11', 'overrides.0.when: matches no run', 'received {"seed":7}'],
    ],
    [
      'an override of an axis that is not there',
      'overrides:\n  - when: {sane.gamma: 0}\n    set: {sane.epochs: 9}\n',
      ['sane.gamma is no axis of this experiment; its axes are architecture, dataset, task, seed'],
    ],
    [
      'an override with a wrong value',
      'overrides:\n  - when: {seed: 1}\n    set: {sane.epochs: -1}\n',
      ['overrides.0.set.sane.epochs: out of range'],
    ],
    ['an exclude that matches nothing', 'exclude:\n  - {dataset: mnist}\n', ['exclude.0: matches no run']],
    [
      'everything excluded',
      'exclude:\n  - {dataset: glyphs}\n',
      ['grid: no run is left', 'exclude takes out every one'],
    ],
    [
      'an unknown table',
      'tables: [99]\n',
      ['tables.0: unknown value', 'one of 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17'],
    ],
    [
      'an exclude with a wrong type',
      'exclude:\n  - {seed: one}\n',
      ['exclude.0.seed: wrong type', 'expected a whole number or a list\n'],
    ],
    [
      'an exclude with an unknown value in a list',
      'exclude:\n  - {dataset: [glyphs, mnits]}\n',
      ['e.yaml:13:24', 'exclude.0.dataset.1: unknown value', 'did you mean mnist?', '1 mistake,'],
    ],
    [
      'a block among dotted settings',
      'overrides:\n  - when: {seed: 1}\n    set: {sane: {epochs: 9}}\n',
      ['overrides.0.set.sane: unknown key', 'dotted paths here, such as sane.checkpoints'],
    ],
    [
      'a setting of another block',
      'overrides:\n  - when: {seed: 1}\n    set: {zoo.gamma: 0.1}\n',
      ['overrides.0.set.zoo.gamma: there is no such setting', 'did you mean sane.gamma?'],
    ],
    [
      'a setting like no other',
      'overrides:\n  - when: {seed: 1}\n    set: {quux.frobnicate: 0.1}\n',
      ['known here are data.train_images, ', ' more: see schemas/experiment.schema.json'],
    ],
    ['an unknown block', 'zooo: {}\n', ['zooo: unknown key', 'did you mean zoo?']],
  ])('%s', (_, addition, expected) => {
    const text = mistakes(valid + addition);
    for (const part of expected) expect(text).toContain(part);
  });

  test('an imported zoo of networks in colour, for images that are made grey; where channels are not known, nothing', () => {
    const text = (task: string) =>
      valid
        .replace('[glyphs]', '[svhn]')
        .replace('[property-prediction]', task)
        .replace('zoo:\n', 'zoo:\n  import: old\n  checkpoints: [1, 5]\n');
    const inspectFolder = (channels?: number) => () => ({
      ...{ path: '/old', fingerprint: 'x' },
      ...(channels && { channels }),
    });
    const told = mistakes(text('[generation]'), { inspectFolder: inspectFolder(3) });
    for (const part of [
      /^e\.yaml:8:\d+ error zoo\.import: the prompts' networks see images of 3 channels, those of svhn have 1 channel here/,
      /set data\.grey to false/,
    ])
      expect(told).toMatch(part);
    for (const channels of [1, undefined])
      expect(plan(text('[generation]'), { inspectFolder: inspectFolder(channels) }).runs).toHaveLength(2);
    expect(plan(text('[property-prediction]'), { inspectFolder: inspectFolder(3) }).runs).toHaveLength(2);
  });

  test('all of them at once, in the order of the file', () => {
    const text = mistakes(
      valid
        .replace('[glyphs]', '[glyhps]')
        .replace('models: 20', 'models: 0')
        .replace('epochs: 3', 'epohcs: 3'),
    );
    expect(text.match(/e\.yaml:(\d+)/g)).toEqual(['e.yaml:4', 'e.yaml:8', 'e.yaml:11']);
    expect(text).toContain('3 mistakes, nothing was run.');
  });

  test.each([
    ['', 'nothing but comments or space'],
    ['# a comment\n', 'nothing but comments or space'],
    ['- a\n- b\n', '["a","b"]'],
    ['just text', '"just text"'],
  ])('a text that is no mapping: %p', (text, received) => {
    expect(mistakes(text)).toContain(`expected a mapping\n  received ${received}`);
  });

  test('an alias bomb is refused before it explodes', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 9; i++) lines.push(`a${i}: &a${i} [${new Array(9).fill(`*a${i - 1}`).join(', ')}]`);
    const text = mistakes(lines.join('\n'));
    expect(text).toContain('aliases multiply to more than 100 references');
    expect(text).toContain('write the values out');
  });

  test('anchors in reason are welcome', () => {
    expect(
      plan(valid.replace('epochs: 5', 'epochs: &n 5').replace('epochs: 3', 'epochs: *n')).runs[0]?.settings
        .sane.epochs,
    ).toBe(5);
  });

  test('a wrong argument names the argument', () => {
    expect(mistakes(valid, { set: { 'sane.epoch': 3 } })).toContain(
      '--set sane.epoch=3: there is no such setting\n  did you mean sane.epochs?',
    );
    expect(mistakes(valid, { set: { 'sane.epochs': 'x' } })).toContain(
      '--set sane.epochs=x: wrong type\n  expected a whole number',
    );
    expect(mistakes(valid, { only: { sed: ['0'] } })).toContain(
      '--only sed=0: the experiment has no axis sed\n  did you mean seed?',
    );
    expect(mistakes(valid, { only: { seed: ['5'] } })).toContain('--only seed=5: no run has seed=5');
  });

  test('carets stand under what they mean, in colour too, after tabs and beyond the end', () => {
    const error = new ExperimentError(
      [{ code: 'x', path: 'p', message: 'm', place: { line: 1, column: 4, length: 99 } }],
      'f',
      'a\tb: c',
    );
    expect(formatProblems(error, { color: false })).toContain('  1 | a\tb: c\n    |  \t ^^^');
    expect(formatProblems(error, { color: true })).toContain('\x1b[31m^^^\x1b[0m');
  });
});

test('random edits of a file give a plan or an ExperimentError, never anything else', () => {
  const random = new Random(testSeed, 'fuzz');
  const pieces = [
    '[',
    ']',
    '{',
    '}',
    ':',
    '- ',
    '\n',
    '  ',
    '"',
    '&a ',
    '*a',
    '!!str ',
    '|',
    '0',
    '-1',
    '1e999',
    'null',
    'seed',
    '.nan',
    '#',
    '? ',
    '---\n',
    '\t',
    '<<: ',
    'zoo',
    'é',
    '__proto__: 1\n',
  ];
  for (let i = 0; i < 400; i++) {
    let text = valid;
    for (let edits = 1 + random.integer(3); edits > 0; edits--) {
      const at = random.integer(text.length);
      const cut = random.integer(2) * random.integer(12);
      text = text.slice(0, at) + pieces[random.integer(pieces.length)] + text.slice(at + cut);
    }
    try {
      plan(text);
    } catch (error) {
      if (!(error instanceof ExperimentError))
        throw new Error(`${JSON.stringify(text)}: ${(error as Error).stack}`);
      expect(formatProblems(error, { color: false })).toContain('nothing was run.');
    }
  }
});

test('a file of Windows line ends and a byte order mark is read', () => {
  const text = `\uFEFF${valid.replaceAll('\n', '\r\n')}`;
  expect(parseExperiment(text, 'w.yaml', catalogue).experiment.name).toBe('test');
  expect(mistakes(text.replace('models: 20', 'models: x'))).toContain('8 |   models: x\n');
});

test('merge keys take what an anchor holds, in a block x-… that is no setting', () => {
  const text = valid
    .replace(/^zoo:\n/m, 'x-common: &common {models: 20}\nzoo:\n  <<: *common\n')
    .replace('  models: 20\n', '');
  const { experiment } = parseExperiment(text, 'm.yaml', catalogue);
  expect(experiment.zoo).toEqual(parseExperiment(valid, 'v.yaml', catalogue).experiment.zoo);
  expect(Object.keys(experiment)).not.toContain('x-common');
  // A mistake in what is taken is shown where it is used.
  expect(mistakes(text.replace('{models: 20}', '{modles: 20}'))).toContain('zoo.modles: unknown key');
});

describe('a file made to do harm', () => {
  const short = (text: string) => {
    const printed = mistakes(text);
    expect(printed.length).toBeLessThan(10_000);
    return printed;
  };

  test('shows twenty mistakes and the part of a line that is wrong', () => {
    const printed = short('a: ]'.repeat(2000));
    expect(printed.match(/ error /g)).toHaveLength(20);
    expect(printed).toMatch(/^\d+ mistakes \(the first 20 are shown\), nothing was run\.$/m);
    const [, line, caret] = short(`name: ${'x'.repeat(300)}\ngrid: {seed: [${'0, '.repeat(200)}no]}`)
      .split('\n\n')
      .map((block) => block.split('\n'))
      .find(([first]) => first?.includes('seed')) as [string, string, string];
    expect(line.length).toBeLessThan(140);
    expect(caret.length).toBeLessThan(140);
  });

  test.each([
    ['brackets', '['.repeat(100_000), 'e.yaml:1:101 error more than 100 levels are nested here'],
    ['braces', `a:\n  ${'{'.repeat(100_000)}`, 'e.yaml:2:103 error more than 100 levels are nested here'],
    ['lists', '- '.repeat(50_000), 'e.yaml:1:1 error more than 100 levels are nested here'],
    ['explicit keys', '? '.repeat(50_000), 'e.yaml:1:1 error more than 100 levels are nested here'],
  ])('has a bound on nested %s', (_what, text, message) => {
    expect(short(text)).toContain(message);
  });

  // The place of each took as long as all before it together, and a minute in all.
  test('of 20,000 unknown keys names each', () => {
    const keys = Array.from({ length: 20_000 }, (_, i) => `  key${i}: 1`).join('\n');
    const printed = short(valid.replace('sane:\n', `sane:\n${keys}\n`));
    expect(printed).toContain('sane.key19: unknown key');
    expect(printed).toContain('20000 mistakes (the first 20 are shown)');
  }, 15_000);

  test('has no grid of more runs than can be planned', () => {
    const list = Array.from({ length: 1000 }, (_, i) => i + 10).join(', ');
    const grid = `  seed: [${list}]\n  zoo.seed: [${list}]\n  zoo.models: [${list}]`;
    const printed = short(valid.replace(/^ {2}seed: .*$/m, '').replace(/^grid:\n/m, `grid:\n${grid}\n`));
    expect(printed).toContain('the grid has 1,000,000,000 runs, more than 100,000');
    expect(printed).toContain('shorten its lists, or divide it among several experiments');
  });
});
