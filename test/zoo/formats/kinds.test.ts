/** Checkpoints as people save them: files that PyTorch wrote (golden/kinds.py), and what torch.load reads from them. */
import { describe, expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { FormatError } from '../../../src/base/source.ts';
import { openNetwork, readNetwork } from '../../../src/zoo/formats/network.ts';

const golden = join(import.meta.dir, 'golden');
const at = (name: string) => join(golden, 'kinds', name);
type Expected = Record<string, { shape: number[]; numbers: string[] }>;
const expected: Record<string, Expected> = await Bun.file(join(golden, 'kinds.json')).json();

/** Files of which no network is read, and what is said of them. */
const refused: Record<string, string> = {
  'zero3.pt': `conv.weight [0] is empty: DeepSpeed's ZeRO stage 3 keeps weights in files of its own; join them with its zero_to_fp32.py first`,
  'quantized.pt':
    'conv.weight is quantized: such a weight is not read; save the network with float32 weights',
  'complex.pt': 'conv.weight is complex64: such a weight is not read; save the network with float32 weights',
  'gan.pt':
    'which of these is the state dict is not clear: generator, discriminator; choose one with --key, e.g. --key generator',
};

const numberOf = (text: string) => Number(text.replace('inf', 'Infinity'));

test('every file is there, and every one is read or refused', () => {
  expect(readdirSync(join(golden, 'kinds')).sort()).toEqual(Object.keys(expected).sort());
});

test.each(Object.keys(expected).filter((name) => !(name in refused)))(
  '%s is read as torch reads it',
  async (name) => {
    const { shapes, weights } = await readNetwork(at(name));
    const layers = Object.entries(expected[name] as Expected);
    expect([...shapes]).toEqual(layers.map(([layer, { shape }]) => [layer, shape]));
    for (const [layer, { numbers }] of layers) {
      const read = weights.get(layer) as Float32Array;
      // Weight norm is the only one that computes.
      for (const [i, text] of numbers.entries()) {
        const value = numberOf(text);
        if (Number.isFinite(value))
          expect(Math.abs((read[i] as number) - value)).toBeLessThanOrEqual(2e-7 * Math.abs(value));
        else expect(read[i]).toBe(value);
      }
    }
  },
);

test.each(Object.entries(refused))('%s is refused', async (name, message) => {
  const error = await readNetwork(at(name)).then(
    () => new Error('no error'),
    (caught: Error) => caught,
  );
  expect(error).toBeInstanceOf(FormatError);
  expect(error.message).toBe(`${at(name)}: ${message}`);
});

describe('what is not used', () => {
  const unusedOf = async (name: string, key?: string) =>
    (await readNetwork(at(name), { key })).unused.map(({ name: one, reason }) => `${one}: ${reason}`);
  const counter = 'norm.num_batches_tracked: a counter of batches';

  test('is named', async () => {
    expect(await unusedOf('imagenet.pth.tar')).toEqual([
      'best_acc1: a tensor beside the state dict',
      counter,
    ]);
    expect(await unusedOf('ema.pt')).toEqual(['ema: another state dict (choose it with --key)', counter]);
    expect(await unusedOf('averaged.pt')).toEqual(['n_averaged: no part of a layer', counter]);
    const untokenized = 'no token holds it: its name ends in neither weight nor bias';
    expect(await unusedOf('lstm.pt')).toEqual(
      ['weight_ih_l0', 'weight_hh_l0', 'bias_ih_l0', 'bias_hh_l0'].map(
        (name) => `lstm.${name}: ${untokenized}`,
      ),
    );
    expect(await unusedOf('beside-complex.pt')).toEqual([
      'freqs: its numbers are complex64, which is not read',
      'q: its numbers are quantized, which is not read',
      'sparse: its numbers are sparse, which is not read',
    ]);
    expect(await unusedOf('profiled.pt')).toContain('conv.max_val: no part of a layer');
  });

  test('is another state dict unless --key asks for it', async () => {
    const { shapes } = await readNetwork(at('gan.pt'), { key: 'discriminator' });
    expect([...shapes.keys()]).toEqual(['weight', 'bias']);
    expect([...(await readNetwork(at('ema.pt'), { key: 'ema' })).shapes.keys()]).toEqual(
      Object.keys(expected['ema.pt'] as Expected),
    );
    await expect(readNetwork(at('gan.pt'), { key: 'net' })).rejects.toThrow(
      `${at('gan.pt')}: the checkpoint has no state dict under the key net; it has generator, discriminator`,
    );
  });
});

test('numbers beside the weights are read, whether of Python, NumPy or a tensor', async () => {
  const scalarsOf = async (name: string) => {
    const network = await openNetwork(at(name));
    try {
      return Object.fromEntries(await network.scalars());
    } finally {
      await network.close();
    }
  };
  expect(await scalarsOf('imagenet.pth.tar')).toEqual({ epoch: 5, best_acc1: 61.5 });
  for (const name of ['globals.ckpt', 'globals4.pt', 'globals-legacy.pt'])
    expect(await scalarsOf(name)).toEqual({ epoch: 12, test_acc: 0.625, loss: 0.5, step: 77 });
});

describe('a file written again', () => {
  test('has its own tensors in its order, folded weights in their parts', async () => {
    const network = await readNetwork(at('weight-norm.pt'));
    const doubled = new Map(
      Array.from(network.weights, ([name, values]) => [name, values.map((x) => 2 * x)]),
    );
    const restored = network.restore(doubled);
    expect(restored.slice(0, 3).map(({ name, shape }) => [name, shape])).toEqual([
      ['0.bias', [2]],
      ['0.weight_g', [2, 1, 1, 1]],
      ['0.weight_v', [2, 1, 2, 2]],
    ]);
    const [, gains, directions] = restored.map(({ data }) => [...data].map(Number));
    const weight = doubled.get('0.weight') as Float32Array;
    for (const row of [0, 1]) {
      const numbers = (directions as number[]).slice(4 * row, 4 * row + 4);
      const norm = Math.hypot(...numbers);
      expect((gains as number[])[row]).toBeCloseTo(norm, 5);
      for (const [i, v] of numbers.entries())
        expect(((gains as number[])[row] as number) * (v / norm)).toBeCloseTo(
          weight[4 * row + i] as number,
          5,
        );
    }
  });

  test('keeps what is no layer, whole numbers as such', async () => {
    const restored = (await readNetwork(at('averaged.pt'))).restore(new Map());
    expect(restored[0]).toEqual({ name: 'n_averaged', shape: [], data: BigInt64Array.of(0n) });
    expect(restored.map(({ name }) => name)).toContain('module.module.norm.num_batches_tracked');
  });
});
