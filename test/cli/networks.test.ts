/** `exp embed` and `exp reconstruct`, on checkpoints as PyTorch writes them, against plain float64 code. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../src/base/random.ts';
import { writeSafetensors } from '../../src/base/safetensors.ts';
import { FormatError } from '../../src/base/source.ts';
import { saveAutoencoder } from '../../src/sane/checkpoint.ts';
import { embedNetworks } from '../../src/sane/embed-networks.ts';
import { Sane } from '../../src/sane/model.ts';
import { loadPretrained } from '../../src/sane/pretrained.ts';
import { startDevice } from '../../src/tensor/devices/registry.ts';
import { readCheckpoint } from '../../src/zoo/formats/checkpoint.ts';
import { matrixOf, oracleDecode, oracleEncode, type Vector } from '../sane/oracle.ts';
import { noWebgpu } from '../tensor/devices.ts';
import { copySwiftShader, swiftShader } from '../tensor/webgpu-adapter.ts';
import {
  type Bytes,
  dict,
  floats,
  orderedDict,
  tensor,
  torchLegacy,
  torchZip,
} from '../zoo/formats/torch-files.ts';
import { ended, exp, inProcess, realProgram, spawn } from './program.ts';

// Processes take long to start on a busy machine.
setDefaultTimeout(300_000);

const random = new Random(1, 'networks');
const root = mkdtempSync(join(tmpdir(), 'networks-'));
const at = (...names: string[]) => join(root, ...names);
afterAll(() => rmSync(root, { recursive: true }));

type Spec = Record<string, number[]>;
type State = Map<string, { shape: number[]; data: Float32Array }>;

const [token, d, latent, layers, heads] = [26, 12, 5, 2, 3];
const positions = [130, 8, 20];

const saneSpec: Spec = {
  ...{ 'tokenizer.weight': [d, token], 'tokenizer.bias': [d] },
  ...Object.fromEntries(positions.map((n, i) => [`pe.pe${i + 1}.weight`, [n, d / 2]])),
  ...Object.fromEntries(
    ['transformer_encoder', 'transformer_decoder'].flatMap((stack) =>
      Array.from({ length: layers }, (_, i) => `${stack}.transformer.${i}`).flatMap(
        (block): [string, number[]][] => [
          [`${block}.ln_1.weight`, [d]],
          [`${block}.attn.c_attn.weight`, [3 * d, d]],
          [`${block}.attn.c_proj.weight`, [d, d]],
          [`${block}.ln_2.weight`, [d]],
          [`${block}.mlp.c_fc.weight`, [4 * d, d]],
          [`${block}.mlp.c_proj.weight`, [d, 4 * d]],
        ],
      ),
    ),
  ),
  ...{ 'encoder_comp.weight': [latent, d], 'encoder_comp.bias': [latent] },
  ...{ 'decoder_comp.weight': [d, latent], 'decoder_comp.bias': [d] },
  ...{ 'detokenizer.weight': [token, d], 'detokenizer.bias': [token] },
};

/** In PyTorch's order, which is not that of the names. */
const cnnSpec: Spec = Object.fromEntries(
  Object.entries({ 0: [8, 1, 5, 5], 3: [6, 8, 5, 5], 6: [4, 6, 2, 2], 9: [20, 36], 11: [10, 20] }).flatMap(
    ([i, shape]) => [
      [`module_list.${i}.weight`, shape],
      [`module_list.${i}.bias`, [shape[0] as number]],
    ],
  ),
);

/** A network of no known architecture, with batch norm. */
const otherSpec: Spec = {
  'stem.weight': [4, 3, 3, 3],
  ...{ 'norm.weight': [4], 'norm.bias': [4], 'norm.running_mean': [4], 'norm.running_var': [4] },
  ...{ 'head.weight': [2, 7], 'head.bias': [2] },
};

const draw = (spec: Spec, sd: number): State =>
  new Map(
    Object.entries(spec).map(([name, shape]) => [
      name,
      { shape, data: random.normals(shape.reduce((a, b) => a * b, 1)).map((x) => x * sd) },
    ]),
  );

const contiguous = (shape: number[]) =>
  shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));

/** The state as a dict of a checkpoint, and its storages. */
function saved(state: State, prefix = ''): { root: Bytes; storages: [string, number, Bytes][] } {
  const entries = [...state].map(([name, { shape, data }], i) => ({
    name: prefix + name,
    key: String(i),
    shape,
    data,
  }));
  return {
    root: orderedDict(
      Object.fromEntries(
        entries.map(({ name, key, shape, data }) => [
          name,
          tensor({ key, size: data.length, shape, strides: contiguous(shape) }),
        ]),
      ),
    ),
    storages: entries.map(({ key, data }) => [key, data.length, floats(...data)]),
  };
}

const zipOf = (state: State) => {
  const { root: dictionary, storages } = saved(state);
  return torchZip(dictionary, Object.fromEntries(storages.map(([key, , data]) => [key, data])));
};

const sane = draw(saneSpec, 0.3);
const weightsOf = (name: string): Vector[] => {
  const { shape, data } = sane.get(name) as { shape: number[]; data: Float32Array };
  return matrixOf(data, shape.at(-1) as number);
};

interface Statistics {
  [layer: string]: { mean: number; std: number };
}

/** Rows of [weight | bias], mapped, cut into tokens; and their positions. Batch norm is left out. */
function oracleTokens(state: State, statistics?: Statistics) {
  const tokens: Vector[] = [];
  const places: number[][] = [];
  const names = [...state.keys()].filter((name) => name.endsWith('weight') && !name.startsWith('norm'));
  for (const [layer, name] of names.entries()) {
    const { shape, data } = state.get(name) as { shape: number[]; data: Float32Array };
    const bias = state.get(name.replace('weight', 'bias'))?.data;
    for (let row = 0; row < (shape[0] as number); row++) {
      const width = data.length / (shape[0] as number);
      const values = [
        ...data.subarray(row * width, (row + 1) * width),
        ...(bias ? [bias[row] as number] : []),
      ];
      const { mean, std } = statistics?.[name] ?? { mean: 0, std: 1 };
      const mapped = values.map((x) => (x - mean) / std);
      while (mapped.length % token !== 0) mapped.push(0);
      for (let i = 0; i < mapped.length; i += token) {
        places.push([tokens.length, layer, row]);
        tokens.push(mapped.slice(i, i + token));
      }
    }
  }
  return { tokens, places };
}

function oracleEmbedding(state: State, statistics?: Statistics): Vector {
  const { tokens, places } = oracleTokens(state, statistics);
  const z = oracleEncode(tokens, places, weightsOf, { layers, heads });
  return Array.from({ length: latent }, (_, i) => z.reduce((sum, row) => sum + row[i]! / z.length, 0));
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  for (const [i, x] of actual.entries()) expect(Math.abs(x - (expected[i] as number))).toBeLessThan(1e-4);
}

const networks: Record<string, State> = {
  'a.pt': draw(cnnSpec, 0.2),
  'b.bin': draw(cnnSpec, 0.2),
  'c.safetensors': draw(cnnSpec, 0.2),
  'd.pth': draw(otherSpec, 0.2),
};
const files = Object.keys(networks).map((name) => at(name));
const statePt = at('trial', 'checkpoint_000050', 'state.pt');
const embed = (...args: string[]) => inProcess('embed', ...args, '--device', 'native');

beforeAll(async () => {
  mkdirSync(at('trial', 'checkpoint_000050'), { recursive: true });
  const { root: model, storages } = saved(sane, '_orig_mod.');
  const members = Object.fromEntries(storages.map(([key, , data]) => [key, data]));
  writeFileSync(statePt, torchZip(dict({ model, optimizer: dict({}) }), members));
  writeFileSync(at('alone.pt'), torchZip(saved(sane).root, members));
  writeFileSync(
    at('trial', 'params.json'),
    JSON.stringify({ 'ae:nhead': heads, 'training::windowsize': 16 }),
  );
  writeFileSync(at('a.pt'), zipOf(networks['a.pt']!));
  const legacy = saved(networks['b.bin']!);
  writeFileSync(at('b.bin'), torchLegacy(legacy.root, legacy.storages));
  // In the order of names, as other writers of safetensors sort them.
  const sorted = [...networks['c.safetensors']!].sort(([x], [y]) => (x < y ? -1 : 1));
  await writeSafetensors(
    at('c.safetensors'),
    sorted.map(([name, value]) => ({ name, ...value })),
  );
  const counted: State = new Map([
    ...networks['d.pth']!,
    ['norm.num_batches_tracked', { shape: [], data: Float32Array.of(9) }],
  ]);
  writeFileSync(at('d.pth'), zipOf(counted));
});

describe('exp embed', () => {
  test('prints the mean embeddings of networks of any format in the order given', async () => {
    const order = [files[2]!, files[0]!, files[3]!, files[1]!];
    // In a process of its own, which ends by itself.
    const { code, out } = await exp('embed', ...order, '--sane', statePt, '--json', '--device', 'native');
    expect(code).toBe(0);
    const entries = JSON.parse(out) as { model: string; embedding: number[] }[];
    expect(entries.map(({ model }) => model)).toEqual(order);
    for (const { model, embedding } of entries)
      expectClose(embedding, oracleEmbedding(networks[model.slice(root.length + 1)]!));
  });

  test('standardises by the authors’ statistics, also by ranges', async () => {
    const names = Object.keys(cnnSpec).filter((name) => name.endsWith('weight'));
    const standard = Object.fromEntries(names.map((name, i) => [name, { mean: 0.1 * i, std: 0.5 + i }]));
    writeFileSync(at('standard.json'), JSON.stringify({ ...standard, mode: 'standardize' }));
    const ranges = Object.fromEntries(
      names.map((name, i) => [name, { min: 0.1 * i - 0.5 - i, max: 0.1 * i + 0.5 + i }]),
    );
    writeFileSync(at('ranges.json'), JSON.stringify({ ...ranges, mode: 'minmax' }));
    for (const file of ['standard.json', 'ranges.json']) {
      const out = at(`embeddings-${file}`);
      const result = await embed(
        files[0]!,
        '--sane',
        at('trial', 'checkpoint_000050'),
        '--normalization',
        at(file),
        '--json',
        '--out',
        out,
      );
      expect(result).toMatchObject({ code: 0, out: '' });
      const [entry] = await Bun.file(out).json();
      expectClose(entry.embedding, oracleEmbedding(networks['a.pt']!, standard));
    }
  });

  test('as text: a line for each network', async () => {
    const { out } = await embed(files[0]!, files[1]!, '--sane', at('alone.pt'), '--heads', String(heads));
    const rows = out
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'));
    expect(rows.map(([path]) => path!)).toEqual(files.slice(0, 2));
    expectClose(rows[1]!.slice(1).map(Number), oracleEmbedding(networks['b.bin']!));
  });

  test.if(!noWebgpu && existsSync(swiftShader))(
    'twice at once: each on a GPU of its own, for which two adapters in software stand here',
    async () => {
      mkdirSync(at('leases'));
      const VK_DRIVER_FILES = `${swiftShader}:${copySwiftShader(root, 'OtherShader Device')}`;
      const env = { VK_DRIVER_FILES, EXP_WEBGPU_ADAPTER: 'shader', TMPDIR: at('leases') };
      const args = ['embed', files[0]!, '--sane', statePt, '--json', '--device', 'webgpu'];
      const start = () => ended(spawn(realProgram, args, env));
      const both = await Promise.all([start(), start()]);
      const devices = both.map(({ err }) => /^computing on (.*)$/m.exec(err)?.[1]);
      expect(devices.sort()).toEqual([
        'webgpu (OtherShader Device (Subzero))',
        'webgpu (SwiftShader Device (Subzero))',
      ]);
      for (const { code, out } of both) {
        expect(code).toBe(0);
        expectClose(JSON.parse(out)[0].embedding, oracleEmbedding(networks['a.pt']!));
      }
    },
  );

  test('of a model of a zoo of this program: that of its last checkpoint', async () => {
    const tensors = (epoch: number, state: State) =>
      Array.from(state, ([name, value]) => ({ name: `${epoch}/${name}`, ...value }));
    await writeSafetensors(at('model-0000.safetensors'), [
      ...tensors(9, networks['b.bin']!),
      ...tensors(10, networks['a.pt']!),
    ]);
    const [entry] = JSON.parse((await embed(at('model-0000.safetensors'), '--sane', statePt, '--json')).out);
    expectClose(entry.embedding, oracleEmbedding(networks['a.pt']!));
  });

  test('of the state dict that --key names, under prefixes; what is not used is printed once', async () => {
    const { root: model, storages } = saved(networks['a.pt']!, 'module.net.');
    const members = Object.fromEntries(storages.map(([key, , data]) => [key, data]));
    const other = orderedDict({ 'x.weight': tensor({ key: '0', size: 1, shape: [1, 1], strides: [1, 1] }) });
    for (const name of ['gan-1.pt', 'gan-2.pt'])
      writeFileSync(at(name), torchZip(dict({ generator: model, discriminator: other }), members));
    const unclear = await embed(at('gan-1.pt'), '--sane', statePt);
    expect(unclear.err).toContain(
      'which of these is the state dict is not clear: generator, discriminator; choose one with --key, e.g. --key generator',
    );
    const key = ['--key', 'generator', '--json'];
    const { out, err } = await embed(at('gan-1.pt'), at('gan-2.pt'), '--sane', statePt, ...key);
    for (const { embedding } of JSON.parse(out)) expectClose(embedding, oracleEmbedding(networks['a.pt']!));
    expect(err.match(/not used/g)).toHaveLength(1);
    expect(err).toContain(
      `${at('gan-1.pt')}: not used: discriminator (another state dict (choose it with --key))\n`,
    );
  });

  test('in windows: another embedding, close to that of the whole', async () => {
    const [entry] = JSON.parse((await embed(files[0]!, '--sane', statePt, '--window', '24', '--json')).out);
    const whole = oracleEmbedding(networks['a.pt']!);
    expect(entry.embedding).not.toEqual(whole);
    for (const [i, x] of entry.embedding.entries()) expect(Math.abs(x - whole[i]!)).toBeLessThan(1);
  });

  test('by an artefact of this program: its statistics, and windows of its pretraining', async () => {
    const window = 200;
    const shape = {
      token_size: token,
      d_model: d,
      latent_dim: latent,
      layers,
      heads,
      projection_dim: 2,
      window,
    };
    const projection: State = draw(
      {
        '0.weight': [2, window * latent],
        '3.weight': [2, 2],
        '1.weight': [2],
        '1.bias': [2],
        '4.weight': [2],
        '4.bias': [2],
      },
      1,
    );
    const all = new Map([
      ...sane,
      ...Array.from(projection, ([name, value]) => [`projection_head.head.${name}`, value] as const),
    ]);
    await startDevice('native', { threads: 1 });
    const model = new Sane(
      { ...shape, positions: positions as [number, number, number] },
      new Map(Array.from(all, ([name, { data }]) => [name, data])),
    );
    const dir = at('artefact');
    mkdirSync(dir);
    const names = Object.keys(cnnSpec).filter((name) => name.endsWith('weight'));
    const statistics = Object.fromEntries(names.map((name, i) => [name, { mean: 0.2 * i, sd: 1 + i }]));
    const description = {
      architecture: 'cnn-small',
      shape: model.shape,
      batch_norm_tokens: false,
      // A file is of no split: the kept statistics, of the training models, are what it is standardised by.
      standardization: 'per-split',
      epochs: [1],
    } as const;
    await saveAutoencoder(dir, model, { ...description, epochs: [1] }, statistics);
    model.dispose();
    const own = Object.fromEntries(
      Object.entries(statistics).map(([name, { mean, sd }]) => [name, { mean, std: sd }]),
    );
    const [entry] = JSON.parse((await embed(files[0]!, '--sane', dir, '--json')).out);
    expectClose(entry.embedding, oracleEmbedding(networks['a.pt']!, own));
    // With a record, the sums in it count, as for a job that reads it.
    const path = join(dir, 'model.safetensors');
    const record = {
      ...{ stage: 'sane', key: '0123456789abcdef', label: 'sane', config: {}, inputs: {}, environment: {} },
      workload: { kind: 'sane', amount: 1 },
      timing: { seconds: 1, finishedAt: '2026-01-01T00:00:00Z', resumed: false },
      files: { 'model.safetensors': { bytes: statSync(path).size, sha256: 'another' } },
    };
    writeFileSync(join(dir, 'artefact.json'), JSON.stringify(record));
    expect(await embed(files[0]!, '--sane', dir)).toMatchObject({
      code: 2,
      err: `exp: ${dir}: this artefact is damaged: model.safetensors has another content than when it was written. Run its experiment again, which makes it anew\n`,
    });
  });

  test('with batch norm: gain and bias a layer, mean and variance layers, these standardised twice as the released code does', async () => {
    const state = networks['d.pth']!;
    const statistics = {
      mode: 'standardize',
      'stem.weight': { mean: 0, std: 1 },
      'norm.weight': { mean: 0.5, std: 2 },
      'norm.running_mean': { mean: 0.1, std: 3 },
      'norm.running_var': { mean: -1, std: 0.5 },
      'head.weight': { mean: 0, std: 1 },
    };
    writeFileSync(at('norms.json'), JSON.stringify(statistics));
    const twice = (name: string, mean: number, std: number) =>
      state.get(name)!.data.map((x) => ((x - mean) / std - mean) / std);
    const once = (name: string) => state.get(name)!.data.map((x) => (x - 0.5) / 2);
    const { tokens: ordinary } = oracleTokens(state);
    const rows: [number, Vector][] = [
      ...ordinary.slice(0, 8).map((values): [number, Vector] => [0, values]),
      ...[0, 1, 2, 3].map((i): [number, Vector] => [1, [once('norm.weight')[i]!, once('norm.bias')[i]!]]),
      ...[...twice('norm.running_mean', 0.1, 3)].map((x): [number, Vector] => [2, [x]]),
      ...[...twice('norm.running_var', -1, 0.5)].map((x): [number, Vector] => [3, [x]]),
      ...ordinary.slice(8).map((values): [number, Vector] => [4, values]),
    ];
    const row = (i: number, layer: number) =>
      layer === 0 ? Math.floor(i / 2) : rows.slice(0, i).filter(([l]) => l === layer).length;
    const padded = rows.map(([, values]) => [...values, ...new Array<number>(token - values.length).fill(0)]);
    const z = oracleEncode(
      padded,
      rows.map(([layer], i) => [i, layer, row(i, layer)]),
      weightsOf,
      { layers, heads },
    );
    const [entry] = JSON.parse(
      (
        await embed(
          files[3]!,
          '--sane',
          statePt,
          '--batch-norm',
          '--normalization',
          at('norms.json'),
          '--json',
        )
      ).out,
    );
    expectClose(
      entry.embedding,
      Array.from({ length: latent }, (_, i) => z.reduce((sum, one) => sum + one[i]! / z.length, 0)),
    );
  });

  test('says what is wrong', async () => {
    const model = files[0]!;
    const large = draw({ 'a.weight': [140, 3] }, 1);
    writeFileSync(at('large.pt'), zipOf(large));
    const diverged = draw({ 'a.weight': [2, 2] }, Number.NaN);
    writeFileSync(at('diverged.pt'), zipOf(diverged));
    writeFileSync(at('bare.pt'), zipOf(draw({ a: [2, 2] }, 1)));
    writeFileSync(at('few.json'), '{"mode": "standardize", "other.weight": {"mean": 0, "std": 1}}');
    writeFileSync(at('flat.json'), '{"module_list.0.weight": {"mean": 0, "std": 0}}');
    const cut = new Map([...sane].filter(([name]) => name !== 'encoder_comp.bias'));
    writeFileSync(at('cut.pt'), zipOf(cut));
    await startDevice('native', { threads: 1 });
    const tried = async (
      paths: string[],
      path = statePt,
      asked: number | null = null,
      normalization: string | null = null,
    ) => {
      const pretrained = await loadPretrained(path, { heads: asked, batchNorm: false, normalization });
      for await (const _ of embedNetworks(pretrained, paths, null));
    };
    const cases: [Parameters<typeof tried>, string][] = [
      [
        [[], at('alone.pt')],
        `${at('alone.pt')}: how many attention heads it has does not show in the weights, and no params.json beside or above it says so (ae:nhead); give --heads`,
      ],
      [[[], statePt, 5], `${statePt}: 5 heads (--heads) do not divide its width of 12`],
      [[[], model, 1], `${model}: this is no SANE checkpoint: it has no matrix tokenizer.weight`],
      [
        [[], at('cut.pt'), 1],
        `${at('cut.pt')}: encoder_comp.bias has shape [none], the other weights need [5]`,
      ],
      [
        [[], root],
        `${root}: this folder holds neither sane.json (an artefact of this program) nor state.pt (a checkpoint of the authors' code)`,
      ],
      [[[model, at('none.pt')]], `${at('none.pt')}: there is no such file`],
      [
        [[at('large.pt')]],
        `${at('large.pt')}: the network has 140 tokens, 1 layer and up to 140 rows in a layer; this SANE has positions for 130, 8, 20: it was pretrained on smaller networks`,
      ],
      [
        [[at('diverged.pt')]],
        `${at('diverged.pt')}: a.weight has numbers that are not finite: the network diverged`,
      ],
      [
        [[at('bare.pt')]],
        `${at('bare.pt')}: no tensor's name ends in "weight": these are no layers that become tokens`,
      ],
      [
        [[model], statePt, null, at('few.json')],
        `${model}: there are no statistics to standardise its layer module_list.0.weight, only of other.weight…: is it another architecture?`,
      ],
      [
        [[], statePt, null, at('flat.json')],
        `${at('flat.json')}: layer module_list.0.weight has neither a mean and a positive std nor a min and a larger max`,
      ],
    ];
    for (const [args, message] of cases) {
      const error = await tried(...args).then(
        () => undefined,
        (caught: Error) => caught,
      );
      expect(error?.message).toBe(message);
      expect(error).toBeInstanceOf(FormatError);
    }
    expect(await embed(model)).toEqual({
      code: 2,
      out: '',
      err: "exp: embed needs --sane\n  --sane path: the pretrained SANE: a state.pt of the authors' code, the file of an experiment that pretrained one, or the folder of an artefact of stage sane\n",
    });
    // No device was started, nor a GPU waited for.
    expect((await embed(model, '--sane', at('none.pt'))).err).toBe(
      `exp: ${at('none.pt')}: there is no such file\n`,
    );
    expect(await embed('--sane', statePt)).toEqual({
      code: 2,
      out: '',
      err: 'exp: embed needs <model>\n  exp embed <model>...\n',
    });
    expect(await embed(model, '--sane', statePt, '--heads', 'x')).toEqual({
      code: 2,
      out: '',
      err: 'exp: --heads x is not a whole number of at least 1\n  e.g. --heads 8\n',
    });
  });
});

describe('exp reconstruct', () => {
  test.each(['pt', 'safetensors'])(
    'writes what the decoder makes of the embeddings, as %s',
    async (format) => {
      const standard: Statistics = {
        'stem.weight': { mean: 0.3, std: 2 },
        'head.weight': { mean: -1, std: 0.5 },
      };
      writeFileSync(at('other.json'), JSON.stringify({ mode: 'standardize', ...standard }));
      const out = at(`reconstructed-${format}`);
      const args = [
        files[3]!,
        '--sane',
        statePt,
        '--normalization',
        at('other.json'),
        '--out',
        out,
        '--format',
        format,
      ];
      const { code, out: printed } = await inProcess('reconstruct', ...args, '--device', 'native');
      expect([code, printed]).toEqual([0, `${join(out, `d.${format}`)}\n`]);
      const state = networks['d.pth']!;
      const { tokens, places } = oracleTokens(state, standard);
      const decoded = oracleDecode(
        oracleEncode(tokens, places, weightsOf, { layers, heads }),
        places,
        weightsOf,
        { layers, heads },
      );
      const { weights } = await readCheckpoint(join(out, `d.${format}`));
      expect([...weights.keys()]).toEqual([...state.keys(), 'norm.num_batches_tracked']);
      // Rows of two tokens in the stem (27 of 52 numbers), of one in the head (7 and a bias).
      const stem = [0, 1, 2, 3].flatMap((row) =>
        [...decoded[2 * row]!, ...decoded[2 * row + 1]!].slice(0, 27),
      );
      expectClose(
        [...weights.get('stem.weight')!],
        stem.map((x) => 2 * x + 0.3),
      );
      expectClose(
        [...weights.get('head.weight')!],
        [8, 9].flatMap((row) => decoded[row]!.slice(0, 7).map((x) => 0.5 * x - 1)),
      );
      expectClose(
        [...weights.get('head.bias')!],
        [8, 9].map((row) => 0.5 * decoded[row]![7]! - 1),
      );
      for (const name of ['norm.weight', 'norm.running_var'])
        expect(weights.get(name)).toEqual(state.get(name)!.data);
      expect([...weights.get('norm.num_batches_tracked')!]).toEqual([9]);
    },
  );

  test('says what is wrong', async () => {
    const run = (...args: string[]) => inProcess('reconstruct', ...args, '--sane', statePt);
    expect((await run(files[0]!)).err).toBe(
      'exp: reconstruct needs --out\n  --out folder: where the new models are written\n',
    );
    expect((await run(files[0]!, '--out', root, '--format', 'onnx')).err).toBe(
      'exp: unknown format: onnx\n  choose from safetensors, pt\n',
    );
    expect((await run(files[0]!, '--out', root, '--format', 'pt')).err).toBe(
      `exp: ${files[0]} would overwrite its own input\n  choose another folder with --out\n`,
    );
  });
});

describe('exp sample', () => {
  const sample = (...args: string[]) => inProcess('sample', '--sane', statePt, '--device', 'native', ...args);

  test('decodes draws near the embeddings of the prompts, the same for a seed; embed takes the same folder', async () => {
    mkdirSync(at('prompts'));
    for (const name of ['1.pt', '10.pt', '2.pt'])
      writeFileSync(at('prompts', name), zipOf(draw(cnnSpec, 0.2)));
    const byName = ['1.pt', '2.pt', '10.pt'].map((name) => at('prompts', name));
    const a = await sample('--prompts', at('prompts'), '--out', at('samples-a'), '--count', '3', '--json');
    const b = await sample(
      '--prompts',
      ...byName,
      '--out',
      at('samples-b'),
      '--count',
      '2',
      '--format',
      'pt',
    );
    const c = await sample(
      '--prompts',
      at('prompts'),
      '--out',
      at('samples-c'),
      '--count',
      '1',
      '--seed',
      '1',
    );
    expect(JSON.parse(a.out)).toEqual(
      [0, 1, 2].map((i) => ({ file: at('samples-a', `sample-000${i}.safetensors`) })),
    );
    expect(b.out).toBe([0, 1].map((i) => `${at('samples-b', `sample-000${i}.pt`)}\n`).join(''));
    expect(c.code).toBe(0);
    const folder = await embed(at('prompts'), '--sane', statePt, '--json');
    const each = await embed(...byName, '--sane', statePt, '--json');
    expect(JSON.parse(folder.out)).toHaveLength(3);
    expect(folder.out).toBe(each.out);
    const read = async (...name: string[]) => (await readCheckpoint(at(...name))).weights;
    const first = await read('samples-a', 'sample-0000.safetensors');
    expect([...first.keys()]).toEqual(Object.keys(cnnSpec));
    expect(await read('samples-b', 'sample-0000.pt')).toEqual(first);
    expect(await read('samples-a', 'sample-0001.safetensors')).not.toEqual(first);
    expect(await read('samples-c', 'sample-0000.safetensors')).not.toEqual(first);
  });

  test('near one prompt is its reconstruction, up to the noise; batch-norm statistics are the prompt’s, and a message says so', async () => {
    const state = networks['d.pth']!;
    const { out, err } = await sample(
      '--prompts',
      files[3]!,
      '--out',
      at('samples-d'),
      '--count',
      '200',
      ...['--bandwidth', '0.02', '--bandwidth-unit', 'absolute', '--draws', 'independent'],
      '--json',
    );
    expect(err).toContain(
      `Batch-norm statistics are those of the prompts: pass a few batches of images through the samples in training mode before using them.`,
    );
    const written = (JSON.parse(out) as { file: string }[]).map(({ file }) => file);
    const samples = await Promise.all(written.map(async (file) => (await readCheckpoint(file)).weights));
    for (const weights of samples)
      expect(weights.get('norm.running_mean')).toEqual(state.get('norm.running_mean')!.data);
    const { tokens, places } = oracleTokens(state);
    const decoded = oracleDecode(
      oracleEncode(tokens, places, weightsOf, { layers, heads }),
      places,
      weightsOf,
      { layers, heads },
    );
    const reconstructed = decoded[8]!.slice(0, 7);
    const values = samples.map((weights) => [...weights.get('head.weight')!.subarray(0, 7)]);
    for (const [i, center] of reconstructed.entries()) {
      const column = values.map((row) => row[i]!);
      const mean = column.reduce((a, b) => a + b, 0) / column.length;
      const sd = Math.sqrt(column.reduce((sum, x) => sum + (x - mean) ** 2, 0) / column.length);
      expect(sd).toBeGreaterThan(0);
      // The decoder is nearly linear over so small a distance.
      expect(Math.abs(mean - center)).toBeLessThan(0.5 * sd);
    }
  });

  test('what no token holds is that of the prompt that a sample is near', async () => {
    mkdirSync(at('others'));
    const prompts = ['1.pt', '2.pt', '3.pt'].map((name) => ({ name, state: draw(otherSpec, 0.2) }));
    for (const { name, state } of prompts) writeFileSync(at('others', name), zipOf(state));
    const common = ['--bandwidth', '0', '--json'];
    const sampled = await sample(
      '--prompts',
      at('others'),
      '--out',
      at('samples-h'),
      '--count',
      '8',
      ...common,
    );
    const places = ['--sane', statePt, '--out', at('reconstructed-h'), '--device', 'native'];
    const reconstructed = await inProcess('reconstruct', at('others'), ...places);
    expect(reconstructed.code).toBe(0);
    const own = await Promise.all(
      prompts.map(({ name }) => readCheckpoint(at('reconstructed-h', name.replace('pt', 'safetensors')))),
    );
    const near = await Promise.all(
      (JSON.parse(sampled.out) as { file: string }[]).map(async ({ file }) => {
        const { weights } = await readCheckpoint(file);
        const mean = weights.get('norm.running_mean');
        const prompt = own.find((one) => Bun.deepEquals(one.weights.get('norm.running_mean'), mean));
        expect(weights).toEqual(prompt!.weights);
        return prompt;
      }),
    );
    expect(new Set(near).size).toBe(3);
  });

  test('of bandwidth 0 are reconstructions; shared draws are others than independent ones', async () => {
    const sampled = async (name: string, ...args: string[]) => {
      const common = ['--prompts', files[0]!, '--out', at(name), '--count', '2', '--json'];
      const { out } = await sample(...common, ...args);
      const written = (JSON.parse(out) as { file: string }[]).map(({ file }) => readCheckpoint(file));
      return (await Promise.all(written)).map(({ weights }) => weights);
    };
    const wide = ['--bandwidth', '0.5', '--bandwidth-unit', 'absolute'];
    const exact = await sampled('samples-e', '--bandwidth', '0');
    const independent = await sampled('samples-f', ...wide, '--draws', 'independent');
    const shared = await sampled('samples-g', ...wide);
    expect(exact[0]).toEqual(exact[1]!);
    expect(independent[0]).not.toEqual(exact[0]!);
    expect(shared[0]).not.toEqual(independent[0]!);
  });

  test('says what is wrong', async () => {
    mkdirSync(at('nothing'));
    const cases: [string[], string][] = [
      [[files[0]!], 'sample needs --out\n  --out folder: where the new models are written'],
      [
        ['--out', at('x'), files[0]!, '--bandwidth', 'wide'],
        '--bandwidth wide is not a number of at least 0\n  e.g. --bandwidth 0.1',
      ],
      [
        ['--out', at('x'), files[0]!, '--draws', 'random'],
        'unknown draws: random\n  choose from shared, joint, independent',
      ],
      [['--out', at('x')], 'sample needs --prompts\n  --prompts a.pt, or a folder of checkpoint files'],
      [
        ['--out', at('x'), '--prompts', at('nothing')],
        `no checkpoint files in ${at('nothing')}\n  name files of torch.save or safetensors`,
      ],
      [
        ['--out', at('x'), files[0]!],
        `${files[0]}: one prompt has no spread to measure the bandwidth by, and this SANE does not say that of its training models; name more prompts, or give --bandwidth-unit absolute`,
      ],
      [
        ['--out', at('x'), files[0]!, '--prompts', files[0]!],
        `${files[0]}: equal prompts have no spread to measure the bandwidth by, and this SANE does not say that of its training models; name more prompts, or give --bandwidth-unit absolute`,
      ],
      [['--out', at('x'), files[0]!, '--seed', 'a'], '--seed a is not a whole number\n  e.g. --seed 1'],
      [
        ['--out', at('x'), files[0]!, files[3]!],
        `${files[3]}: a network with other tensors than ${files[0]}; prompts have one architecture`,
      ],
    ];
    for (const [args, message] of cases) {
      const { code, out, err } = await sample(...args);
      // The first lines are about the device, and batch norm's counter in one of the files.
      const said = err.replace(/^(computing on|.*: not used: norm\.num_batches_tracked) .*\n/gm, '');
      expect([code, out, said]).toEqual([2, '', `exp: ${message}\n`]);
    }
  });
});
