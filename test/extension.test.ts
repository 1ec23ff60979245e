/** A task, an architecture and a data set are added to a copy of the project, each by its own files and its place in one registry, and run. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import type { Table } from '../src/report/table.ts';

const project = join(import.meta.dir, '..');
let copy = '';

/** Everything that is added, by its path. */
const added: Record<string, string> = {
  'src/data/stripes.ts': `import { type Dataset, halves } from './dataset.ts';

const counts = { train: 40, test: 20 };
const draw = (count: number) => ({
  images: Uint8Array.from({ length: count * 784 }, (_, i) => (((i >> 2) + Math.floor(i / 784)) % 2 ? 255 : 0)),
  labels: Uint8Array.from({ length: count }, (_, i) => i % 2),
});

export const stripes: Dataset = {
  ...{ name: 'stripes', description: 'stripes, 28x28 grey', standsFor: [], counts, publication: null },
  ...{ shape: [28, 28, 1], classes: 2, normalize: halves(1) },
  load: async (_, wanted) => ({
    train: draw(wanted.train ?? counts.train),
    test: draw(wanted.test ?? counts.test),
  }),
};
`,
  'src/nets/cnn-tiny.ts': `import { defineArchitecture } from './define.ts';

export const cnnTiny = defineArchitecture({
  name: 'cnn-tiny',
  description: 'one convolution and one dense layer',
  width: 2,
  images: { side: 28, channels: [1] },
  layers: ({ classes, width }) => [
    { kind: 'conv2d', name: 'conv', inputs: 1, outputs: width, kernel: 5 },
    { kind: 'max-pool', kernel: 8 },
    { kind: 'activation' },
    { kind: 'flatten' },
    { kind: 'linear', name: 'fc', inputs: 9 * width, outputs: classes },
  ],
});
`,
  'src/stages/weight-norm/settings.json': JSON.stringify({
    description: 'Task weight-norm.',
    properties: {
      order: {
        description: 'Order of the norm. Default 2.',
        ...{ type: 'integer', minimum: 1, default: 2 },
      },
    },
  }),
  'src/stages/weight-norm/plan.ts': `import type { PlannedRun } from '../../experiment/stage-plan.ts';
import { keyOfZoo } from '../models.ts';
import type { Stage } from '../stage.ts';
import { population } from '../work.ts';
import schema from './settings.json' with { type: 'json' };

export const weightNorm: Stage<PlannedRun> = {
  name: 'weight-norm',
  description: 'measures the norm of the weights of every model',
  version: 1,
  usesDevice: false,
  load: async () => (await import('./run.ts')).weightNormStage,
  settings: { block: 'weight_norm', schema },
  task: { tables: [], measures: { norm: ['model'] }, dependsOn: () => ['data', 'zoo', 'weight_norm'] },
  plan: (run, planner) => ({
    label: \`weight-norm \${run.architecture}/\${run.dataset}\`,
    config: run.settings.weight_norm,
    inputs: { zoo: keyOfZoo(run, planner) },
  }),
  work: (_, input) => ({ settings: [], amount: population(input('zoo')).models }),
};
`,
  'src/stages/weight-norm/run.ts': `import { join } from 'node:path';
import { writeJson } from '../../base/files.ts';
import { openZoo } from '../../zoo/zoo.ts';
import type { MetricRecord } from '../result.ts';
import type { StageImplementation } from '../stage.ts';

export const weightNormStage: StageImplementation = {
  async execute({ config, inputs, dir }) {
    const order = config.order as number;
    const zoo = await openZoo(inputs.zoo as string);
    const records: MetricRecord[] = [];
    for (const model of zoo.manifest.models) {
      const weights = await zoo.weights(model, 1);
      const sum = [...weights.values()].reduce((all, of) => of.reduce((s, x) => s + Math.abs(x) ** order, all), 0);
      records.push({ metric: 'norm', labels: { model: model.id }, value: sum ** (1 / order), seeded: false });
    }
    await writeJson(join(dir, 'result.json'), { records });
  },
};
`,
};

/** Its place in a registry: an import, and a name in the list. */
const registered: Record<string, [line: string, before: string, name: string]> = {
  'src/data/registry.ts': [
    `import { stripes } from './stripes.ts';`,
    '  [glyphs.name]',
    '  [stripes.name]: stripes,\n',
  ],
  'src/nets/registry.ts': [`import { cnnTiny } from './cnn-tiny.ts';`, 'cnnSmall, cnnLarge', 'cnnTiny, '],
  'src/stages/registry.ts': [
    `import { weightNorm } from './weight-norm/plan.ts';`,
    '  dataset,\n',
    '  weightNorm,\n',
  ],
};

const experiment = `name: added
grid:
  architecture: [cnn-tiny]
  dataset: [stripes]
  task: [weight-norm]
  weight_norm.order: [1, 2]
device: cpu
zoo: {models: 4, epochs: 1, checkpoints: [1], split: [0.5, 0.25, 0.25], width: 3}
`;

async function run(...args: string[]) {
  const child = Bun.spawn([process.execPath, ...args], {
    ...{ cwd: copy, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' },
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '' },
  });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { code: await child.exited, out, err };
}

beforeAll(async () => {
  copy = mkdtempSync(join(tmpdir(), 'exp-extension-'));
  for (const name of ['src', 'schemas', 'package.json', 'tsconfig.json'])
    cpSync(join(project, name), join(copy, name), { recursive: true });
  symlinkSync(join(project, 'node_modules'), join(copy, 'node_modules'));
  for (const [path, text] of Object.entries(added)) {
    await mkdir(dirname(join(copy, path)), { recursive: true });
    writeFileSync(join(copy, path), text);
  }
  for (const [path, [line, before, name]] of Object.entries(registered)) {
    const text = readFileSync(join(copy, path), 'utf8');
    expect(text.split(before)).toHaveLength(2);
    const changed = text.replace('import ', `${line}\nimport `).replace(before, `${name}${before}`);
    writeFileSync(join(copy, path), changed);
  }
  writeFileSync(join(copy, 'added.yaml'), experiment);
});

afterAll(() => rmSync(copy, { recursive: true, force: true }));

test('the schema and the types that `bun run schema` writes have what was added', async () => {
  expect(await run('schemas/generate.ts')).toMatchObject({ code: 0, err: '' });
  const schema = JSON.parse(readFileSync(join(copy, 'schemas/experiment.schema.json'), 'utf8'));
  const validate = new Ajv({ allowUnionTypes: true }).compile(schema);
  expect(validate(parse(experiment))).toBe(true);
  expect(validate(parse(experiment.replace('[1, 2]', '[0]')))).toBe(false);
  expect(validate(parse(experiment.replace('norm.order', 'norm.odrer')))).toBe(false);
  expect(await run(join(project, 'node_modules/.bin/tsc'), '--noEmit')).toEqual({
    code: 0,
    out: '',
    err: '',
  });
});

test('it is planned, computed and kept', async () => {
  const dry = await run('src/cli.ts', 'added.yaml', '--dry-run');
  expect(dry).toMatchObject({ code: 0, err: '' });
  expect(dry.out).toContain('weight_norm.order=2  to compute');
  const { code, err } = await run('src/cli.ts', 'added.yaml', '--jobs', '1');
  expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' });
  // The paper has no table of it, so that it has one of its own.
  const table = (await Bun.file(join(copy, 'results/added/sweep-norm.json')).json()) as Table;
  expect(table).toMatchObject({ id: null, title: 'norm by weight_norm.order and model' });
  expect([table.rows.length, table.columns.length]).toEqual([2, 4]);
  // The sum of the absolute values is above their root mean square.
  const [first, second] = table.rows.map(({ key }) =>
    table.cells.filter(({ row }) => row === key).map(({ measured }) => measured?.mean as number),
  );
  for (const [i, sum] of first!.entries()) expect(sum).toBeGreaterThan(second![i]!);
});

test('mistakes in it are told as all others are', async () => {
  writeFileSync(
    join(copy, 'wrong.yaml'),
    experiment.replace('stripes', 'stirpes').replace('cnn-tiny', 'cnn-tinny'),
  );
  const { code, err } = await run('src/cli.ts', 'wrong.yaml');
  expect(code).toBe(2);
  expect(err).toContain('did you mean stripes?');
  expect(err).toContain('did you mean cnn-tiny?');
});
