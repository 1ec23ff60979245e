import { beforeAll, describe, expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import { contrastiveLoss, explainedVariance, reconstructionLoss } from '../../src/sane/loss.ts';
import { Sane } from '../../src/sane/model.ts';
import { type SaneShape, saneParameters } from '../../src/sane/parameters.ts';
import { positionTensors } from '../../src/sane/positions.ts';
import { tf } from '../../src/tensor/tf.ts';
import { testSeed as seed } from '../seed.ts';
import { startTested, testedDevices } from '../tensor/devices.ts';
import { matrixOf, oracleBlock, type Vector } from './oracle.ts';

function counts(shape: SaneShape): { decayed: number; other: number } {
  const result = { decayed: 0, other: 0 };
  for (const { shape: sizes, decay } of saneParameters(shape))
    result[decay ? 'decayed' : 'other'] += sizes.reduce((a, b) => a * b, 1);
  return result;
}

const released: SaneShape = {
  token_size: 289,
  latent_dim: 128,
  d_model: 1024,
  layers: 8,
  heads: 8,
  projection_dim: 30,
  window: 64,
  positions: [100, 10, 40],
};

describe('parameters', () => {
  test('are as many as in the authors’ configurations', () => {
    expect(counts(released)).toEqual({ decayed: 202_504_068, other: 35_353 });
    const table8 = counts({ ...released, layers: 4, window: 32 });
    expect(table8.decayed + table8.other).toBe(101_736_861);
    const resnet: SaneShape = {
      ...released,
      token_size: 288,
      d_model: 2048,
      heads: 16,
      window: 256,
      positions: [55_000, 100, 550],
    };
    expect(counts(resnet)).toEqual({ decayed: 864_979_844, other: 70_168 });
    expect(saneParameters(released).filter(({ decay }) => decay).length).toBe(73);
    expect(saneParameters(released).filter(({ decay }) => !decay).length).toBe(40);
  });

  test('start normal with 0.02, residual outputs less by the depth, gains at 1 and biases at 0', async () => {
    const shape = { ...released, d_model: 64, heads: 4, layers: 2, token_size: 50, window: 8 };
    const sane = new Sane(shape, seed);
    for (const { name, data } of await sane.weights()) {
      const values = data as Float32Array;
      if (/ln_\d\.weight|head\.[14]\.weight/.test(name)) expect(values.every((x) => x === 1)).toBe(true);
      else if (name.endsWith('bias')) expect(values.every((x) => x === 0)).toBe(true);
      else {
        const sd = Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
        const ratio = sd / (name.endsWith('c_proj.weight') ? 0.01 : 0.02);
        // Six standard errors of an estimated deviation.
        expect(Math.abs(ratio - 1)).toBeLessThan(6 / Math.sqrt(2 * values.length));
      }
    }
    sane.dispose();
  });

  test('that are missing are named', () => {
    expect(() => new Sane(released, new Map())).toThrow('sane: no weights for tokenizer.weight');
  });
});

/** What `f` gives, read. */
async function numbers(f: () => tf.Tensor): Promise<Float32Array> {
  const tensor = tf.tidy(f);
  const values = (await tensor.data<'float32'>()).slice();
  tensor.dispose();
  return values;
}

describe.each(testedDevices)('the autoencoder on %s', (device) => {
  beforeAll(() => startTested([device], 1));

  test('has the transformer block of the golden vector', async () => {
    // x[t,c] = sin(.5 (4t+c) + .1); weights .3 sin(.7 k + phase) by index k; gains 1 + .1 c and 1 - .05 c.
    const shape: SaneShape = {
      token_size: 4,
      latent_dim: 4,
      d_model: 4,
      layers: 1,
      heads: 2,
      projection_dim: 2,
      window: 3,
      positions: [1, 1, 1],
    };
    const phases: Record<string, number> = {
      'attn.c_attn': 0,
      'attn.c_proj': 1,
      'mlp.c_fc': 2,
      'mlp.c_proj': 3,
    };
    const identity = Float32Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : 0));
    const weights = new Map(
      saneParameters(shape).map(({ name, shape: sizes }) => {
        const size = sizes.reduce((a, b) => a * b, 1);
        const phase = phases[/transformer\.0\.(.*)\.weight$/.exec(name)?.[1] ?? ''];
        if (phase !== undefined)
          return [name, Float32Array.from({ length: size }, (_, k) => 0.3 * Math.sin(0.7 * k + phase))];
        if (name.endsWith('ln_1.weight')) return [name, Float32Array.from([1, 1.1, 1.2, 1.3])];
        if (name.endsWith('ln_2.weight')) return [name, Float32Array.from([1, 0.95, 0.9, 0.85])];
        if (name === 'tokenizer.weight' || name === 'encoder_comp.weight') return [name, identity];
        return [name, new Float32Array(size)];
      }),
    );
    const sane = new Sane(shape, weights);
    const x = Float32Array.from({ length: 12 }, (_, i) => Math.sin(0.5 * i + 0.1));
    const z = await numbers(() => sane.encode(tf.tensor3d(x, [1, 3, 4]), positionTensors(new Int32Array(9))));
    const golden = [
      0.11772959, 0.6716589, 0.98073691, 0.83126347, 0.79366899, 0.81106189, 0.18070652, -0.61312929,
      -0.9164871, -0.99876597, -0.8118029, -0.62238596,
    ];
    for (const [i, value] of golden.entries()) expect(z[i]!).toBeCloseTo(value, 5);
    sane.dispose();
  });

  test('is the definition in float64, with odd sizes', async () => {
    const shape: SaneShape = {
      token_size: 11,
      latent_dim: 5,
      d_model: 12,
      layers: 2,
      heads: 3,
      projection_dim: 6,
      window: 7,
      positions: [9, 3, 4],
    };
    const random = new Random(seed, 'model');
    const weights = new Map(
      saneParameters(shape).map(({ name, shape: sizes }) => [
        name,
        random.normals(sizes.reduce((a, b) => a * b, 1)).map((v) => 0.4 * v),
      ]),
    );
    const sane = new Sane(shape, weights);
    const x = random.normals(7 * 11);
    const p = Int32Array.from({ length: 21 }, (_, i) => random.integer(shape.positions[i % 3]!));
    const get = (name: string) =>
      matrixOf(
        weights.get(name)!,
        name.includes('ln_') || name.endsWith('bias')
          ? weights.get(name)!.length
          : saneParameters(shape).find((q) => q.name === name)!.shape[1]!,
      );
    const affine = (name: string, rows: Vector[]) =>
      rows.map((row) =>
        get(`${name}.weight`).map((out, o) =>
          out.reduce((sum, v, i) => sum + v * row[i]!, get(`${name}.bias`)[0]![o]!),
        ),
      );
    const pe = Array.from({ length: 7 }, (_, t) => {
      const row = (k: number) => get(`pe.pe${k + 1}.weight`)[p[3 * t + k]!]!;
      return [...row(0).map((v, i) => v + row(1)[i]!), ...row(2)];
    });
    const stack = (name: string, rows: Vector[]) =>
      [0, 1].reduce(
        (h, i) => oracleBlock(h, 3, (w) => get(`${name}.transformer.${i}.${w}`)),
        rows.map((row, t) => row.map((v, i) => v + pe[t]![i]!)),
      );
    const z = affine('encoder_comp', stack('transformer_encoder', affine('tokenizer', matrixOf(x, 11))));
    const y = affine('detokenizer', stack('transformer_decoder', affine('decoder_comp', z)));
    const encode = () => sane.encode(tf.tensor3d(x, [1, 7, 11]), positionTensors(p));
    const encoded = await numbers(encode);
    const decoded = await numbers(() => sane.decode(encode(), positionTensors(p)));
    for (const [i, value] of z.flat().entries())
      expect(Math.abs(encoded[i]! - value)).toBeLessThan(2e-4 * (1 + Math.abs(value)));
    for (const [i, value] of y.flat().entries())
      expect(Math.abs(decoded[i]! - value)).toBeLessThan(1e-3 * (1 + Math.abs(value)));
    const projected = await numbers(() =>
      sane.project(tf.tensor3d(new Random(seed, 'z').normals(35 * 2), [2, 7, 5])),
    );
    for (const v of projected) expect(v).toBeGreaterThanOrEqual(0);
    sane.dispose();
  });

  test('has the losses of the golden vectors', async () => {
    const z = tf.tensor2d([1, 0, 0, 0, 1, 0, 1, 1, 0, 0, 1, 1], [4, 3]);
    expect((await numbers(() => contrastiveLoss(z, 0.1)))[0]!).toBeCloseTo(0.39225154, 5);
    expect((await numbers(() => contrastiveLoss(z, 0.5)))[0]!).toBeCloseTo(0.70667632, 5);
    const [target, output, mask] = [
      [1, 2, 0, 3, -1, 0],
      [1.5, 1, 9, 2, -1, 7],
      [1, 1, 0, 1, 1, 0],
    ].map((v) => tf.tensor3d(v, [2, 1, 3]));
    const loss = async (padding: boolean) =>
      (await numbers(() => reconstructionLoss(target!, output!, mask!, { padding_in_loss: padding })))[0]!;
    expect(await loss(true)).toBeCloseTo(0.375, 6);
    expect(await loss(false)).toBeCloseTo(0.5625, 6);
    const batch = { padding_in_loss: false, loss_normalization: 'batch' } as const;
    const normalized = await numbers(() => reconstructionLoss(target!, output!, mask!, batch));
    expect(normalized[0]!).toBeCloseTo(0.25710809, 6);
  });

  test.each([
    [1, 1, 1],
    [2, 3, 5],
    [3, 7, 17],
    [5, 1, 33],
  ])(
    'normalises the loss and its gradient as in float64, %p rows, %p tokens of %p',
    async (rows, window, size) => {
      const shape: [number, number, number] = [rows, window, size];
      const random = new Random(77, 'normalized', ...shape);
      const length = rows * window * size;
      // Weights of a token are its first ones: of the first token one alone, of the second equal ones; scales differ by 10 and more.
      const filled = Array.from({ length: rows * window }, (_, t) =>
        t === 0 ? 1 : 1 + random.integer(size),
      );
      const mask = Float32Array.from({ length }, (_, i) =>
        i % size < filled[Math.floor(i / size)]! ? 1 : 0,
      );
      const target = random.normals(length).map((e, i) => {
        const t = Math.floor(i / size);
        return t === 1 ? mask[i]! * 0.5 : mask[i]! * (0.3 + e * 10 ** ((t % 3) - 1));
      });
      const output = random.normals(length);
      for (const loss_normalization of ['token', 'batch'] as const) {
        for (const padding_in_loss of [false, true]) {
          const expected = oracleLoss(
            target,
            output,
            mask,
            size,
            loss_normalization === 'token',
            padding_in_loss,
          );
          const settings = { loss_normalization, padding_in_loss };
          const [x, m] = [target, mask].map((v) => tf.tensor3d(v, shape));
          const y = tf.tensor3d(output, shape);
          const loss = (o: tf.Tensor3D) => reconstructionLoss(x!, o, m!, settings);
          const [value] = await numbers(() => loss(y));
          expect(Math.abs(value! - expected.loss)).toBeLessThan(1e-5 * expected.loss);
          const gradient = await numbers(() => tf.grad((o) => loss(o as tf.Tensor3D))(y));
          const largest = Math.max(...expected.gradient.map(Math.abs));
          for (const [i, g] of expected.gradient.entries())
            expect(Math.abs(gradient[i]! - g)).toBeLessThan(2e-5 * largest);
        }
      }
    },
  );
});

/** The normalised loss and its gradient in float64. A token of one weight, or of equal ones, has the scale of the batch. */
function oracleLoss(
  target: Float32Array,
  output: Float32Array,
  mask: Float32Array,
  size: number,
  byToken: boolean,
  padding: boolean,
): { loss: number; gradient: number[] } {
  const sd = (indices: number[]) => {
    const mean = indices.reduce((sum, i) => sum + target[i]!, 0) / indices.length;
    return Math.sqrt(indices.reduce((sum, i) => sum + (target[i]! - mean) ** 2, 0) / indices.length);
  };
  const weights = [...mask.keys()].filter((i) => mask[i] === 1);
  const batch = sd(weights);
  const scaleOf = (i: number) => {
    const own = sd(weights.filter((other) => Math.floor(other / size) === Math.floor(i / size)));
    return 1e-4 + (byToken && own ** 2 > 0.01 * batch ** 2 ? own : batch);
  };
  const count = padding ? target.length : weights.length;
  const gradient = new Array<number>(target.length).fill(0);
  let loss = 0;
  for (const i of weights) {
    const scale = scaleOf(i);
    const error = (output[i]! - target[i]!) / scale;
    loss += error ** 2 / count;
    gradient[i] = (2 * error) / scale / count;
  }
  return { loss, gradient };
}

test('explained variance is one less the variance of the error over that of the target, on weights only', () => {
  const target = Float32Array.of(1, 3, 0, 2, -1, 0);
  const output = Float32Array.of(1.5, 2, 9, 1, -1, 7);
  const mask = Float32Array.of(1, 1, 0, 1, 1, 0);
  // Errors -.5, 1, 1, 0: variance .421875; targets 1, 3, 2, -1: variance 2.1875.
  expect(explainedVariance(target, output, mask)).toBeCloseTo(1 - 0.421875 / 2.1875, 10);
  // The columns of the golden vector, one by one.
  const [golden1, golden2] = [
    explainedVariance(Float32Array.of(1, 3), Float32Array.of(1.5, 2), Float32Array.of(1, 1)),
    explainedVariance(Float32Array.of(2, -1), Float32Array.of(1, -1), Float32Array.of(1, 1)),
  ];
  expect(golden1).toBeCloseTo(0.4375, 8);
  expect(golden2).toBeCloseTo(0.88888889, 8);
});
