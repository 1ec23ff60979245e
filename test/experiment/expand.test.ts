import { describe, expect, test } from 'bun:test';
import { canonicalJson } from '../../src/base/json.ts';
import { wholeConfig } from '../../src/experiment/keys.ts';
import type { Plan } from '../../src/experiment/types.ts';
import { explainKey } from '../../src/experiment/why.ts';
import { definitionsOf } from '../../src/report/choose.ts';
import { groupRuns } from '../../src/report/groups.ts';
import { stages } from '../../src/stages/registry.ts';
import { plan, valid } from './files.ts';
import { includedFiles, includedText, planIncluded } from './included.ts';

const keysOf = ({ stages }: Plan, stage: string) =>
  stages.filter((node) => node.stage === stage).map(({ key }) => key);
const ids = ({ runs }: Plan) => runs.map(({ id }) => id);
const stageNames = Object.keys(stages);

/** Stages whose keys differ between two texts of one experiment. */
const changed = (a: string, b: string, options?: Parameters<typeof plan>[1]) =>
  stageNames.filter((stage) => keysOf(plan(a), stage).join() !== keysOf(plan(b, options), stage).join());

describe('the grid', () => {
  test('is every combination, the last axis fastest, and runs are named by what differs', () => {
    const text = valid.replace('seed: [0, 1]', 'seed: [0, 1]\n  sane.gamma: [0.1, 0.5]');
    expect(ids(plan(text))).toEqual([
      'seed=0,sane.gamma=0.1',
      'seed=0,sane.gamma=0.5',
      'seed=1,sane.gamma=0.1',
      'seed=1,sane.gamma=0.5',
    ]);
    expect(plan(text).runs.map(({ settings }) => settings.sane.gamma)).toEqual([0.1, 0.5, 0.1, 0.5]);
    expect(ids(plan(valid.replace('  seed: [0, 1]\n', '')))).toEqual(['property-prediction']);
  });

  test('advances zipped axes together, adds what is included, takes out what is excluded', () => {
    const zipped = `${valid}zip:\n  - {zoo.seed: [5, 6], sane.gamma: [0.1, 0.2]}\n`;
    expect(ids(plan(zipped))).toEqual([
      'seed=0,zoo.seed=5,sane.gamma=0.1',
      'seed=0,zoo.seed=6,sane.gamma=0.2',
      'seed=1,zoo.seed=5,sane.gamma=0.1',
      'seed=1,zoo.seed=6,sane.gamma=0.2',
    ]);
    const included = `${valid}include:\n  - {dataset: mnist, seed: 7}\n`;
    expect(ids(plan(included))).toEqual([
      'dataset=glyphs,seed=0',
      'dataset=glyphs,seed=1',
      'dataset=mnist,seed=7',
    ]);
    const excluded = `${zipped}exclude:\n  - {seed: 0, zoo.seed: [5, 9]}\n`;
    expect(ids(plan(excluded)).length).toBe(3);
  });

  test('keeps what --only names, and --set wins over everything', () => {
    expect(ids(plan(valid, { only: { seed: ['1'] } }))).toEqual(['seed=1']);
    const text = valid.replace('seed: [0, 1]', 'sane.epochs: [4, 5]');
    expect(
      plan(text, { set: { 'sane.epochs': 9 } }).runs.map(({ settings }) => settings.sane.epochs),
    ).toEqual([9, 9]);
  });

  test('may hold lists as values', () => {
    const text = valid.replace('seed: [0, 1]', 'zoo.checkpoints: [[1, 2], [1, 5]]');
    expect(ids(plan(text))).toEqual(['zoo.checkpoints=[1,2]', 'zoo.checkpoints=[1,5]']);
  });
});

describe('settings', () => {
  test('come from defaults, recipe, block, override, axis, in this order', () => {
    const settings = (text: string) => plan(text).runs.map((run) => run.settings);
    expect(settings(valid)[0]?.zoo.activation).toBe('tanh');
    expect(settings(valid)[0]?.data.train_images).toBe(50_000);
    expect(settings(`${valid}data: {train_images: 30}\n`)[0]?.data.train_images).toBe(30);
    const override = `${valid}overrides:\n  - {when: {seed: 1}, set: {sane.epochs: 9}}\n`;
    expect(settings(override).map(({ sane }) => sane.epochs)).toEqual([3, 9]);
    const axis = override.replace('seed: [0, 1]', 'seed: [0, 1]\n  sane.epochs: [7]');
    expect(settings(axis).map(({ sane }) => sane.epochs)).toEqual([7, 7]);
  });

  test('of a recipe for a task are of its runs only', () => {
    const both =
      'grid: {architecture: [resnet18], dataset: [cifar-10], task: [property-prediction, generation]}';
    const [predicts, generates] = plan(`name: both\n${both}\n`).runs;
    expect(predicts?.settings.sane.batch_norm_tokens).toBe(true);
    expect(generates?.settings.sane.batch_norm_tokens).toBe(false);
    const without = plan(`name: both\n${both}\nsane: {batch_norm_tokens: false}\n`).runs;
    expect(without[0]?.differences).toEqual([
      { setting: 'sane.batch_norm_tokens', value: false, paper: true },
    ]);
    expect(without[1]?.settings.sane.batch_norm_tokens).toBe(false);
  });

  test('that nobody gave keep to the epochs there are', () => {
    const [run] = plan(valid).runs;
    expect(run?.settings.zoo.checkpoints).toEqual([1, 3, 5]);
    expect(run?.settings.property_prediction.checkpoints).toEqual([1, 3, 5]);
    const [short] = plan(valid.replace('epochs: 5', 'epochs: 2')).runs;
    expect(short?.settings.zoo.checkpoints).toEqual([1, 2]);
    const [other] = plan(valid.replace('epochs: 5', 'epochs: 5\n  checkpoints: [2, 4]')).runs;
    expect(other?.settings.property_prediction.checkpoints).toBeNull();
  });

  test('of a recipe are narrowed to the epochs of the zoo, too', () => {
    const used = (more: string) => {
      const text = `${valid.replace('[cnn-small]', '[resnet18]').replace('epochs: 5', more)}`;
      const { settings, differences } = plan(text).runs[0]!;
      const said = differences.filter(({ setting }) => setting === 'sane.checkpoints');
      return [settings.sane.checkpoints, ...said];
    };
    const late = [21, 22, 23, 24, 25] as [number, ...number[]];
    expect(used('epochs: 50')).toEqual([late]);
    const said = (value: number[]) => ({ setting: 'sane.checkpoints', value, paper: late });
    expect(used('epochs: 21')).toEqual([[21], said([21])]);
    expect(used('epochs: 1')).toEqual([null, said([1])]);
    expect(used('epochs: 50\n  checkpoints: [7, 50]')[0]).toBeNull();
    const given = valid.replace('epochs: 3', 'epochs: 3\n  checkpoints: [21, 22]');
    expect(() => plan(given)).toThrow('sane.checkpoints: the zoo keeps the epochs 1, 3, 5');
  });

  test('say how a run is smaller than the paper’s', () => {
    expect(plan(valid).runs[0]?.differences).toEqual(
      expect.arrayContaining([
        { setting: 'zoo.models', value: 20, paper: 1000 },
        { setting: 'sane.epochs', value: 3, paper: 50 },
      ]),
    );
    const paper = valid.replace('glyphs', 'mnist').replace(/zoo:[\s\S]*/, '');
    expect(plan(paper).runs[0]?.differences).toEqual([]);
    expect(plan(`${paper}zoo: {seed: 4, models_at_once: 8}\n`).runs[0]?.differences).toEqual([]);
    // At a constant rate, checkpoints do not depend on how many epochs come after them.
    expect(plan(`${paper}zoo: {epochs: 25}\n`).runs[0]?.differences).toEqual([]);
    expect(plan(`${paper}zoo: {epochs: 25, schedule: one-cycle}\n`).runs[0]?.differences).toEqual([
      { setting: 'zoo.epochs', value: 25, paper: 50 },
      { setting: 'zoo.schedule', value: 'one-cycle', paper: 'constant' },
    ]);
    // A shorter fine-tuning is another only where the schedule ends with it.
    const short = `${paper.replace('[property-prediction]', '[generation]')}generation: {epochs: [0, 5]}\n`;
    // Networks are generated by a SANE of late epochs.
    const early = {
      ...{ setting: 'sane.checkpoints', value: [1, 3, 5, 10, 15, 20, 25] },
      paper: [21, 22, 23, 24, 25],
    };
    expect(plan(short).runs[0]?.differences).toEqual([early]);
    const late = `${short}sane: {checkpoints: [21, 22, 23, 24, 25]}\n`;
    const kept = 'checkpoints: [5, 21, 22, 23, 24, 25, 50]';
    expect(plan(`${late}zoo: {${kept}}\n`).runs[0]?.differences).toEqual([]);
    expect(plan(`${late}zoo: {${kept}, schedule: one-cycle}\n`).runs[0]?.differences).toEqual([
      { setting: 'zoo.schedule', value: 'one-cycle', paper: 'constant' },
      { setting: 'generation.epochs', value: [0, 5], paper: [0, 1, 5, 25] },
    ]);
    // Of Table 6 alone the paper says how many permutations there are.
    const ablation = paper.replace('[property-prediction]', '[reconstruction]');
    expect(plan(ablation).runs[0]?.differences).toEqual([
      { setting: 'sane.permutations', value: null, paper: 5 },
      { setting: 'sane.permutation_protocol', value: 'own', paper: 'pool' },
    ]);
    expect(
      plan(`${ablation}sane: {permutations: 5, permutation_protocol: pool}\n`).runs[0]?.differences,
    ).toEqual([]);
  });
});

describe('stages', () => {
  test('are shared between runs', () => {
    const { stages } = plan(valid);
    expect(stages.map(({ stage }) => stage)).toEqual([
      'dataset',
      'zoo',
      'alignment',
      'baseline-probes',
      'baseline-probes',
      'sane',
      'property-prediction',
      'sane',
      'property-prediction',
    ]);
    expect(new Set(stages.map(({ key }) => key)).size).toBe(9);
    for (const [i, { inputs }] of stages.entries()) {
      for (const key of Object.values(inputs))
        expect(stages.findIndex((node) => node.key === key)).toBeLessThan(i);
    }
    expect(stages[1]?.parts).toBe(1);
    expect(plan(valid.replace('models: 20', 'models: 33')).stages[1]?.parts).toBe(2);
    expect(plan(valid.replace('models: 20', 'models: 20\n  models_at_once: 5')).stages[1]?.parts).toBe(4);
  });

  test('of a sweep have the configs that do not differ in common, and keys of the whole of their text', () => {
    const { runs, stages } = plan(
      valid.replace('seed: [0, 1]', 'seed: [0, 1]\n  sane.gamma: [0.1, 0.2, 0.3]'),
    );
    const of = (name: string) => stages.filter(({ stage }) => stage === name);
    const predictions = of('property-prediction');
    expect(predictions.length).toBe(6);
    expect(new Set(predictions.map(({ config }) => config)).size).toBe(1);
    expect(new Set(runs.map(({ settings }) => settings.zoo)).size).toBe(1);
    for (const { stage, key, version, config, seed, inputs } of stages) {
      const text = canonicalJson({ stage, version, config: wholeConfig({ config, seed }), inputs });
      expect(key).toBe(new Bun.CryptoHasher('sha256').update(text).digest('hex').slice(0, 16));
    }
    expect(of('sane').map(({ config, seed }) => [seed as number, config.gamma])).toEqual(
      [0, 1].flatMap((seed) => [0.1, 0.2, 0.3].map((gamma) => [seed, gamma])),
    );
  });

  test('of SANE are planned only for features of SANE', () => {
    const text = `${valid}property_prediction: {features: [weights, statistics]}\n`;
    const { stages, runs } = plan(text);
    const probes = ['baseline-probes', 'baseline-probes', 'property-prediction'];
    expect(stages.map(({ stage }) => stage)).toEqual(['dataset', 'zoo', 'alignment', ...probes]);
    const loose = plan(`${text}sane: {alignment: false}\n`.replace('sane:\n  epochs: 3\n', '')).stages;
    expect(loose.map(({ stage }) => stage)).toEqual(['dataset', 'zoo', ...probes]);
    expect(new Set(runs.map(({ resultKey }) => resultKey)).size).toBe(1);
  });

  test('of baselines are shared by all that they do not depend on', () => {
    const baselines = (more: string, sane = '', padding = false) => {
      const text = valid.replace('  epochs: 3\n', `  epochs: 3\n${sane}`);
      const block = `property_prediction:\n  padding_in_statistics: ${padding}\n${more && `  ${more}\n`}`;
      const nodes = plan(text + block).stages.filter(({ stage }) => stage === 'baseline-probes');
      const keys = nodes.map(({ config, key }) => [config.feature as string, key] as const);
      return Object.fromEntries(keys) as Record<'weights' | 'statistics', string>;
    };
    const own = baselines('');
    const differing = (other: typeof own) => [
      ...(other.weights === own.weights ? [] : ['weights']),
      ...(other.statistics === own.statistics ? [] : ['statistics']),
    ];
    for (const sane of ['d_model: 64', 'gamma: 0.5', 'checkpoints: [1, 5]', 'window: 8'])
      expect(differing(baselines('', `  ${sane}\n`))).toEqual([]);
    expect(differing(baselines('features: [statistics, sane, weights]'))).toEqual([]);
    expect(differing(baselines('', '  alignment: false\n'))).toEqual(['weights']);
    expect(differing(baselines('', '  standardization: none\n'))).toEqual(['weights', 'statistics']);
    expect(differing(baselines('', '  batch_norm_tokens: true\n'))).toEqual(['weights', 'statistics']);
    expect(differing(baselines('checkpoints: [1, 5]'))).toEqual(['weights', 'statistics']);
    const [padded, cut] = [baselines('', '', true), baselines('', '  token_size: 10\n', true)];
    expect(padded.weights).toBe(own.weights);
    expect(cut.weights).toBe(own.weights);
    expect(new Set([own, padded, cut].map(({ statistics }) => statistics)).size).toBe(3);
    const [running, evaluated] = ['running', 'evaluated'].map((gap) =>
      baselines(`targets: [epoch]\n  gap: ${gap}`),
    );
    expect(running).toEqual(evaluated as typeof own);
    expect(baselines('gap: evaluated').weights).not.toBe(own.weights);
  });

  test('of generation read another zoo and another data set where they are asked for', () => {
    const text = (block: string) =>
      `${valid.replace('[property-prediction]', '[generation]')}generation: {${block}}\n`;
    const labels = (block: string) => plan(text(block)).stages.map(({ label }) => label);
    const own = labels('epochs: [0]');
    expect(own.filter((label) => label.startsWith('zoo')).length).toBe(1);
    const few = plan(text('epochs: [0], prompt_zoo: {dataset: mnist, zoo: {models: 8}}'));
    const zoos = few.stages.filter(({ stage }) => stage === 'zoo');
    expect(zoos.map(({ label, config }) => [label, config.models])).toEqual([
      ['zoo cnn-small/glyphs', 20],
      ['zoo cnn-small/mnist', 8],
    ]);
    const generated = few.stages.find(({ stage }) => stage === 'generation')!;
    expect(generated.inputs.prompts).toBe(zoos[1]!.key);
    expect(generated.label).toBe('generation cnn-small/glyphs to cnn-small/mnist seed 0');
    const images = few.stages.find(({ key }) => key === generated.inputs.dataset)!;
    expect(images.config).toMatchObject({ dataset: 'mnist', validation_images: null });
    const shared = plan(text('epochs: [0], validation_images: 0')).stages;
    expect(shared.filter(({ stage }) => stage === 'dataset').length).toBe(1);
    expect(generated.inputs.zoo).toBe(zoos[0]!.key);
    const checkpoints = (block: string) =>
      plan(text(`epochs: [0], ${block}`))
        .stages.filter(({ stage }) => stage === 'zoo')
        .map(({ config }) => config.checkpoints);
    expect(checkpoints('prompt_zoo: {zoo: {epochs: 4}}')).toEqual([
      [1, 3, 5],
      [1, 3, 4],
    ]);
    expect(checkpoints('prompt_epoch: 2, prompt_zoo: {zoo: {epochs: 2, checkpoints: [2]}}')).toEqual([
      [1, 3, 5],
      [2],
    ]);
    // How many networks are fine-tuned at once is no part of the key.
    const [alone, together] = [null, 3].map(
      (models_at_once) =>
        plan(text(`epochs: [0], prompt_zoo: {zoo: {models_at_once: ${models_at_once}}}`)).stages.find(
          ({ stage }) => stage === 'generation',
        )!,
    );
    expect(together!.options).toEqual({ models_at_once: 3 });
    expect(together!.key).toBe(alone!.key);
    // Scratch is trained anew where no zoo is on the target's images, or the prompts are of another zoo, and so has every epoch.
    expect(plan(text('epochs: [0, 4], target_dataset: mnist')).runs.length).toBe(2);
    expect(plan(text('epochs: [0, 3], prompt_zoo: {zoo: {epochs: 2}}')).runs.length).toBe(2);
    const moved = plan(text('epochs: [0], target_dataset: mnist')).stages;
    const target = moved.find(({ label }) => label.startsWith('dataset mnist'))!;
    expect(moved.find(({ stage }) => stage === 'generation')!.inputs.dataset).toBe(target.key);
  });

  test('of images say what is done to them only where something is', () => {
    const images = (dataset: string, more = '', architecture = 'cnn-small') =>
      plan(valid.replace('[glyphs]', `[${dataset}]`).replace('[cnn-small]', `[${architecture}]`) + more)
        .stages[0]!.config;
    const all = { test_images: null };
    expect(images('mnist')).toEqual({ dataset: 'mnist', train_images: 50_000, ...all });
    expect(images('svhn')).toEqual({ dataset: 'svhn', train_images: 60_000, ...all, grey: true, crop: 28 });
    expect(images('svhn', 'data: {grey: false, crop: null}\n')).toEqual({
      ...{ dataset: 'svhn', train_images: 60_000, ...all },
    });
    expect(images('stl-10', '', 'cnn-large')).toEqual({
      ...{ dataset: 'stl-10', train_images: 4_200, ...all, resize: 32 },
    });
    expect(images('tiny-imagenet', '', 'resnet18')).toEqual({
      ...{ dataset: 'tiny-imagenet', train_images: null, ...all },
    });
    const cifar = images('cifar-10', '', 'resnet18');
    expect(cifar.normalize).toEqual({
      mean: [0.491373, 0.482353, 0.446667],
      std: [0.247059, 0.243529, 0.261569],
    });
    // What stands in for it has its number of images, and other images.
    const standIn = { dataset: 'fashion-mnist', train_images: 40_000, ...all };
    expect(images('fashion-mnist', '', 'resnet18')).toEqual(standIn);
  });

  test('of generation for other images take these as their own recipe has them', () => {
    const text = (target: string, more: string) =>
      `${valid.replace('[property-prediction]', '[generation]').replace('[glyphs]', '[svhn]')}generation: {epochs: [0], validation_images: 0, ${target}}\n${more}`;
    const datasets = (target: string, more = '') =>
      plan(text(target, more))
        .stages.filter(({ stage }) => stage === 'dataset')
        .map(({ config }) => config);
    const svhn = { dataset: 'svhn', train_images: 60_000, test_images: null, grey: true, crop: 28 };
    const mnist = { dataset: 'mnist', train_images: 50_000, test_images: null };
    expect(datasets('target_dataset: mnist')).toEqual([svhn, mnist]);
    expect(datasets('prompt_zoo: {dataset: mnist}')).toEqual([svhn, mnist]);
    const given = { train_images: 99 };
    expect(datasets('target_dataset: mnist', 'data: {train_images: 99}\n')).toEqual([
      { ...svhn, ...given },
      { ...mnist, ...given },
    ]);
    const large = datasets('prompt_zoo: {architecture: cnn-large, dataset: stl-10}');
    expect(large[1]).toEqual({ dataset: 'stl-10', train_images: 4_200, test_images: null, resize: 32 });
  });

  test('have keys of what they compute, not of what it is called or where it runs', () => {
    const renamed = valid.replace('name: test', 'name: other\ndescription: hm\ndevice: cpu\ntables: [1]');
    expect(changed(valid, renamed)).toEqual([]);
    expect(changed(valid, valid.replace('models: 20', 'models: 20\n  models_at_once: 5'))).toEqual([]);
    expect(changed(valid, valid.replace('epochs: 3', 'epochs: 4'))).toEqual(['sane', 'property-prediction']);
    expect(changed(valid, valid.replace('models: 20', 'models: 21'))).toEqual([
      'zoo',
      'alignment',
      'sane',
      'baseline-probes',
      'property-prediction',
    ]);
    const ofRun = stageNames.filter((stage) => keysOf(plan(valid), stage).length > 0);
    expect(changed(valid, `${valid}data: {test_images: 50}\n`)).toEqual(ofRun);
    expect(changed(valid, `${valid}property_prediction: {targets: [epoch]}\n`)).toEqual([
      'baseline-probes',
      'property-prediction',
    ]);
    expect(changed(valid, valid.replace('[0, 1]', '[0, 2]'))).toEqual(['sane', 'property-prediction']);
    // The order of keys in the file is nothing either.
    expect(changed(valid, valid.replace('  models: 20\n  epochs: 5', '  epochs: 5\n  models: 20'))).toEqual(
      [],
    );
  });
});

describe('why', () => {
  test('names the fields that differ from the nearest finished stage', () => {
    const node = (text: string, stage: string) => plan(text).stages.find((one) => one.stage === stage)!;
    const now = node(valid, 'sane');
    const near = node(valid.replace('epochs: 3', 'epochs: 4'), 'sane');
    const far = node(valid.replace('epochs: 3', 'epochs: 4\n  layers: 2'), 'sane');
    expect(explainKey(now, [far, near])).toEqual({
      nearest: near,
      differences: [{ field: 'config.epochs', before: 4, now: 3 }],
    });
    expect(explainKey(now, [])).toBeUndefined();
    expect(explainKey({ ...now, version: now.version + 1 }, [now])?.differences).toEqual([
      { field: 'version', before: now.version, now: now.version + 1 },
    ]);
    const other = node(valid.replace('models: 20', 'models: 30'), 'sane');
    expect(explainKey(now, [other])?.differences.map(({ field }) => field)).toEqual([
      'inputs.zoo',
      'inputs.alignment',
    ]);
  });
});

test('every experiment file that comes with the project has a plan', async () => {
  const files = includedFiles.map((path) => path.replace('experiments/', ''));
  expect(files).toContain('cnn-zoos.yaml');
  expect(files).toContain('resnet-cifar.yaml');
  for (const file of files) {
    const depth = '../'.repeat(file.split('/').length);
    expect((await includedText(`experiments/${file}`)).split('\n')[0]).toBe(
      `# yaml-language-server: $schema=${depth}schemas/experiment.schema.json`,
    );
    const plan = await planIncluded(`experiments/${file}`);
    expect(plan.runs.length).toBeGreaterThan(0);
    // Those beside the quickstart are at the paper's scale: every run has a table's conditions.
    if (file.includes('/') || file === 'quickstart.yaml') continue;
    const groups = definitionsOf(plan).flatMap((definition) => groupRuns(definition, plan.runs));
    // Table 6 does not say which zoo it is of; SANE on the MNIST zoo is smaller than the paper's.
    const scaled = groups
      .flatMap(({ conditions }) => conditions)
      .filter(({ paper }) => paper !== 'a zoo that is not named')
      .filter(({ setting }) => file !== 'mnist-sane.yaml' || !setting.startsWith('sane.'));
    expect({ file, scaled }).toEqual({ file, scaled: [] });
    expect(new Set(groups.flatMap(({ runs }) => runs)).size).toBe(plan.runs.length);
  }
});
