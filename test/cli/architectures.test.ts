/** Networks that the program does not know: written in the experiment, from an ONNX file, and as tensors alone, from training or import to a table. */
import { afterAll, expect, setDefaultTimeout, test } from 'bun:test';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { Random } from '../../src/base/random.ts';
import { openSafetensors } from '../../src/base/safetensors.ts';
import { buildWritten, classesOf, type WrittenArchitecture } from '../../src/nets/written.ts';
import { writeTorch } from '../../src/zoo/formats/write-torch.ts';
import { openZoo } from '../../src/zoo/zoo.ts';
import { removeFixtures } from '../runner/fixture.ts';
import { exp, inProcess, Program, parseEvents } from './program.ts';

// Processes take long to start on a busy machine.
setDefaultTimeout(300_000);
afterAll(removeFixtures);

const golden = join(import.meta.dir, '../nets/onnx/golden');
const random = new Random(1, 'architectures');
const sane =
  'sane: {d_model: 16, latent_dim: 8, layers: 1, heads: 2, window: 24, token_size: 16, epochs: 1, batch_size: 4, checkpoints: null';

/** Ten networks with these tensors at two epochs, as checkpoint files with a list. */
async function listedZoo(dir: string, state: readonly { name: string; shape: number[] }[]): Promise<string> {
  mkdirSync(dir);
  const checkpoints = [];
  for (let model = 0; model < 10; model++) {
    for (const epoch of [1, 2]) {
      const tensors = state.map(({ name, shape }) => ({
        ...{ name, shape },
        data: random.normals(shape.reduce((a, b) => a * b, 1)).map(Math.abs),
      }));
      const file = `${model}-${epoch}.pt`;
      await writeTorch(join(dir, file), tensors);
      const accuracies = { test_accuracy: random.uniform(), train_accuracy: random.uniform() };
      checkpoints.push({ file, model, epoch, ...accuracies });
    }
  }
  writeFileSync(join(dir, 'zoo.json'), JSON.stringify({ dataset: 'glyphs', checkpoints }));
  return dir;
}

test('written in the experiment: trained, aligned, sampled, fine-tuned', async () => {
  const program = new Program(
    {},
    `name: written
architectures:
  tiny:
    input: [28, 28, 1]
    layers:
      - { kind: conv2d, name: stem, outputs: 4, kernel: 5, stride: 3 }
      - { kind: batch-norm, name: norm }
      - { kind: activation, function: relu6 }
      - { kind: conv2d, name: depthwise, outputs: 4, kernel: 3, padding: 1, groups: 4 }
      - { kind: activation }
      - { kind: global-average-pool }
      - { kind: linear, name: head, outputs: classes }
grid: {architecture: [tiny], dataset: [glyphs], task: [generation]}
data: {train_images: 60, test_images: 30}
zoo: {models: 10, epochs: 1, checkpoints: [0, 1], batch_size: 30, split: [0.6, 0.2, 0.2]}
${sane}}
property_prediction: {checkpoints: null, gap: evaluated}
generation: {methods: [kde30], samples: 2, candidates: 2, epochs: [0, 1], conditioning_batch_size: 10, validation_images: 20}
`,
  );
  const { code, err } = await exp(program.file, '--store', program.store.root, '--out', program.out);
  expect(err).not.toContain('failed');
  expect(code).toBe(0);
});

test('from an ONNX file: its layers as YAML and its weights; a zoo of such checkpoints is imported, and aligned', async () => {
  const program = new Program({}, '');
  const [yaml, weights] = ['mobile.yaml', 'mobile.safetensors'].map((name) => join(program.root, name));
  const onnx = join(golden, 'small.dynamo.onnx');
  const converted = await inProcess('arch', 'from-onnx', onnx, '--out', yaml!, '--weights', weights!);
  expect(converted).toEqual({
    code: 0,
    out: '',
    err: 'Note: the LogSoftmax at the end is left out: losses and accuracies are taken of the logits.\n',
  });
  expect((await inProcess('arch', 'from-onnx', onnx)).out).toBe(readFileSync(yaml!, 'utf8'));
  const text = readFileSync(yaml!, 'utf8');
  expect(text).toContain('  - { kind: conv2d, name: conv1, outputs: 4, kernel: 5 }\n');
  const written = parse(text) as WrittenArchitecture;
  const net = buildWritten('small', written, {
    input: written.input,
    classes: classesOf(written),
    width: null,
  });
  const file = await openSafetensors(weights!);
  expect(file.names.sort()).toEqual(net.state.map(({ name }) => name).sort());
  await file.close();

  const original = await listedZoo(join(program.root, 'original'), net.state);
  const zoo = join(program.root, 'zoo');
  const imported = await inProcess('zoo', 'import', original, '--layers', yaml!, '--out', zoo);
  expect(imported).toMatchObject({ code: 0, err: '' });
  expect(imported.out).toContain('10 models of mobile on glyphs');
  expect((await openZoo(zoo)).architecture.state).toEqual(net.state);
  writeFileSync(
    program.file,
    `name: onnx
architectures: {mobile: mobile.yaml}
grid: {architecture: [mobile], dataset: [glyphs], task: [property-prediction]}
zoo: {import: zoo, models: 10, checkpoints: [1, 2], split: [0.6, 0.2, 0.2]}
${sane}}
property_prediction: {checkpoints: null, gap: evaluated}
`,
  );
  const { code, err } = await exp(program.file, '--store', program.store.root, '--out', program.out);
  expect(err).not.toContain('failed');
  expect(code).toBe(0);
});

test('of tensors alone: imported, embedded, predicted and reconstructed', async () => {
  const program = new Program({}, '');
  const state = [
    { name: 'encoder.layers.0.self_attn.in_proj_weight', shape: [12, 4] },
    { name: 'encoder.layers.0.self_attn.in_proj_bias', shape: [12] },
    { name: 'encoder.layers.0.norm1.weight', shape: [4] },
    { name: 'encoder.layers.0.norm1.bias', shape: [4] },
    { name: 'stem.1.weight', shape: [4] },
    { name: 'stem.1.bias', shape: [4] },
    { name: 'stem.1.running_mean', shape: [4] },
    { name: 'stem.1.running_var', shape: [4] },
    { name: 'head.weight', shape: [3, 4] },
  ];
  const original = await listedZoo(join(program.root, 'original'), state);
  const zoo = join(program.root, 'zoo');
  const imported = await inProcess('zoo', 'import', original, '--architecture', 'tensors', '--out', zoo);
  expect(imported).toMatchObject({ code: 0, err: '' });
  const { architecture } = await openZoo(zoo);
  expect(architecture.state).toEqual(state);
  expect('layers' in architecture).toBe(false);
  const text = (settings: string) => `name: tensors
grid: {architecture: [tensors], dataset: [glyphs], task: [property-prediction, reconstruction]${settings}}
zoo: {import: original, models: 10, checkpoints: [1, 2], split: [0.6, 0.2, 0.2]}
${sane}, alignment: false, view_2: canonical}
property_prediction: {checkpoints: null, gap: evaluated, features: [weights, statistics, sane]}
`;
  writeFileSync(program.file, text(''));
  const store = join(program.root, '.exp');
  const before = await inProcess('embed', join(original, '0-1.pt'), '--sane', program.file);
  expect(before).toEqual({
    ...{ code: 2, out: '' },
    err: `exp: ${program.file}: its SANE is not pretrained yet\n  run it first: exp ${program.file}\n`,
  });
  const { code, err } = await exp(program.file, '--out', program.out);
  expect(err).not.toContain('failed');
  expect(code).toBe(0);
  expect(readdirSync(program.out).length).toBeGreaterThan(0);

  // The SANE of it embeds such networks, and writes new ones with the same tensors.
  const pretrained = ['--sane', program.file];
  const [first, second] = ['0-1.pt', '1-1.pt'].map((name) => join(original, name)) as [string, string];
  const embedded = await inProcess('embed', first, ...pretrained, '--json');
  expect([embedded.code, JSON.parse(embedded.out)[0].embedding.length]).toEqual([0, 8]);
  const key = readdirSync(join(store, 'sane')).find((name) => !name.includes('.')) as string;
  const folder = join(store, 'sane', key);
  expect(await inProcess('embed', first, '--sane', folder, '--json')).toEqual(embedded);
  const out = join(program.root, 'sampled');
  const options = ['--count', '1', '--format', 'safetensors', '--out', out];
  expect((await inProcess('sample', first, second, ...pretrained, ...options)).code).toBe(0);
  const sample = await openSafetensors(join(out, 'sample-0000.safetensors'));
  expect(sample.names.sort()).toEqual(state.map(({ name }) => name).sort());
  await sample.close();

  // Of experiments with several SANEs, or none, it is not taken.
  const two = program.write('two.yaml', text(', seed: [0, 1]'));
  const { out: events } = await inProcess(two, '--dry-run', '--json');
  const other = parseEvents(events).find(({ stage, state }) => stage === 'sane' && state === 'compute');
  // Which SANE it is does not matter: that it is finished does.
  cpSync(folder, join(store, 'sane', other?.key as string), { recursive: true });
  const several = await inProcess('embed', first, '--sane', two);
  expect(several.err).toStartWith(`exp: ${two}: it has several SANEs\n  name the folder of one:\n  ${store}`);
  expect(several.err).toContain('sane tensors/glyphs seed 1\n');
  const none = program.write('none.yaml', text('').replace(', reconstruction', '').replace(', sane]', ']'));
  expect((await inProcess('embed', first, '--sane', none)).err).toBe(
    `exp: ${none}: none of its runs uses SANE\n  name an experiment that pretrains one\n`,
  );
});

test('what arch from-onnx cannot read is an error that names the file', async () => {
  const file = join(golden, 'refused-softplus.onnx');
  expect(await inProcess('arch', 'from-onnx', file)).toEqual({
    ...{ code: 2, out: '' },
    err: `exp: ${file}: the operator Softplus (node /Softplus) has no counterpart in the layers here\n`,
  });
  expect((await inProcess('arch', 'from-onnx', 'none.onnx')).err).toContain(
    'none.onnx: there is no such file',
  );
});
