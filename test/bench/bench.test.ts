/** What of the bench needs no Python: its arguments, counts of operations, and how results are formed. */
import { describe, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArguments } from '../../bench/arguments.ts';
import { disagreement } from '../../bench/parity.ts';
import { findPython } from '../../bench/python.ts';
import { failureOf, resultOf } from '../../bench/result.ts';
import { BenchError, type Row } from '../../bench/row.ts';
import { rowSets } from '../../bench/rows/registry.ts';
import { summarize } from '../../bench/summary.ts';
import { drawTable } from '../../bench/table.ts';
import { getArchitecture } from '../../src/nets/registry.ts';
import { encoderOperations, pretrainingOperations, trainingOperations } from '../../src/stages/operations.ts';

const row: Row = {
  name: 'example',
  description: 'an example',
  device: 'native',
  wanted: 2,
  operations: 4e9,
  images: 10,
  stepsPerTurn: 1,
  other: { script: 'example.py', config: {}, variants: [{ name: 'slow' }, { name: 'fast' }] },
  setup: () => ({ tensors: [], step: () => {}, values: () => [] }),
};

const setsOf = <T>(rows: T[]) => ({ cpu: () => rows, gpu: () => [...rows].reverse(), tiny: () => rows });

describe('arguments', () => {
  const parse = (...args: string[]) =>
    parseArguments(args, setsOf([{ name: 'ab-1' }, { name: 'ab-2' }, { name: 'c' }]), {});

  test('select rows by how their names begin', () => {
    expect(parse('--only', 'ab')?.rows).toEqual([{ name: 'ab-1' }, { name: 'ab-2' }]);
    expect(parse('--only', 'ab-2', '--only', 'c')?.rows).toEqual([{ name: 'ab-2' }, { name: 'c' }]);
    expect(parse()?.rows).toHaveLength(3);
    expect(parse()?.set).toBe('cpu');
    expect(parse('--gpu')).toMatchObject({
      set: 'gpu',
      rows: [{ name: 'c' }, { name: 'ab-2' }, { name: 'ab-1' }],
    });
    expect(parse('--gpu', '--try')?.set).toBe('tiny');
  });

  test('take Python from --python, then from PYTHON', () => {
    const python = (args: string[], PYTHON?: string) =>
      parseArguments(args, setsOf([row]), { PYTHON })?.python;
    expect(python([])).toBeUndefined();
    expect(python([], '')).toBeUndefined();
    expect(python([], 'a')).toBe('a');
    expect(python(['--python', 'b'], 'a')).toBe('b');
  });

  test('that are wrong are named', () => {
    expect(() => parse('--only', 'x')).toThrow('--only x: no row begins so; there are ab-1, ab-2, c');
    for (const rounds of ['0', '-1', '1.5', 'many'])
      expect(() => parse(`--rounds=${rounds}`)).toThrow('above 0');
    expect(() => parse('--round', '3')).toThrow("Unknown option '--round'");
    expect(() => parse('--rounds')).toThrow(BenchError);
  });

  test('may ask for help', () => expect(parse('--help', '--only', 'x')).toBeUndefined());
});

test('rows have names of their own', () => {
  const rows = [...rowSets.cpu(), ...rowSets.gpu()];
  expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
});

describe('operations', () => {
  const shape = { token_size: 3, d_model: 4, latent_dim: 2, layers: 1, window: 5, projection_dim: 7 };

  test('of the encoder', () => {
    // By hand, of 2 windows, 10 tokens: 3x4, 12 x 4 x 4 and 4x2 weights; scores and averages 5 x 4 for each token.
    expect(encoderOperations(shape, 2)).toBe(2 * 10 * (12 + 192 + 8) + 2 * 2 * 10 * 20);
  });

  test('of a pretraining step', () => {
    const head = 2 * 2 * (5 * 2 * 7 + 7 * 7);
    const expected = 3 * (2 * encoderOperations(shape, 2) + head) - 2 * 10 * 12;
    expect(pretrainingOperations(shape, 2)).toBe(expected);
  });

  test('of a training step of ResNet-18', () => {
    const resnet18 = getArchitecture('resnet18', { input: [32, 32, 3], classes: 10, width: null });
    // By hand: in every stage four convolutions of 32 x 32 x 64 numbers from 3 x 3 x 64, or as many; the first of a later stage
    // has half of that, and a shortcut of a ninth of that.
    const stem = 32 * 32 * 64 * 27;
    const full = 32 * 32 * 64 * 576;
    const later = 3 * full + full / 2 + full / 18;
    const total = stem + 4 * full + 3 * later + 512 * 10;
    expect(trainingOperations(resnet18, 7)).toBe(7 * 2 * (3 * total - stem));
  });

  test('of a training step of cnn-small', () => {
    const cnnSmall = getArchitecture('cnn-small', { input: [28, 28, 1], classes: 10, width: null });
    const multiplyAdds = [24 * 24 * 8 * 25, 8 * 8 * 6 * 8 * 25, 3 * 3 * 4 * 6 * 4, 36 * 20, 20 * 10];
    const total = multiplyAdds.reduce((a, b) => a + b, 0);
    expect(trainingOperations(cnnSmall, 10)).toBe(10 * 2 * (3 * total - 24 * 24 * 8 * 25));
  });
});

describe('values of both sides', () => {
  test('agree to 1e-4 of the largest', () => {
    expect(disagreement([1, 200], [1.01, 200])).toBeUndefined();
    expect(disagreement([0.5], [0.50009])).toBeUndefined();
  });

  test('disagree where one is off, not a number, or missing', () => {
    expect(disagreement([1, 200], [1.03, 200])).toContain('value 0');
    expect(disagreement([Number.NaN], [1])).toContain('NaN');
    expect(disagreement([1], [Number.NaN])).toContain('NaN');
    expect(disagreement([1, 2], [1])).toContain('2 values');
  });
});

test('times are summarised by median and quartiles', () => {
  expect(summarize([4, 1, 3, 2, 100])).toEqual({ medianMs: 3, lowerQuartileMs: 2, upperQuartileMs: 4 });
  expect(summarize([1, 2])).toEqual({ medianMs: 1.5, lowerQuartileMs: 1.25, upperQuartileMs: 1.75 });
  expect(() => summarize([])).toThrow('no times');
});

describe('results', () => {
  const variant = (name: string, ms: number) => ({ name, time: summarize([ms]), turnsMs: [ms] });
  const measurement = {
    ours: { time: summarize([20]), turnsMs: [20] },
    others: [
      { ...variant('fastest', 10), informative: true },
      variant('slow', 90),
      variant('fast', 50),
      { name: 'broken', informative: true, turnsMs: [], note: 'no such thing' },
    ],
  };

  test('compare with the fastest variant that is not only informative', () => {
    const result = resultOf(row, measurement, 400);
    expect(result).toMatchObject({ ratio: 2.5, reached: true });
    expect(result.ours).toMatchObject({ medianMs: 20, gflops: 200, peakShare: 0.5, imagesPerSecond: 500 });
    expect(result.others.map(({ variant }) => variant)).toEqual(['fast', 'slow', 'fastest', 'broken']);
    expect(result.turnsMs).toMatchObject({ ours: [20], fast: [50] });
    expect(resultOf({ ...row, wanted: 3 }, measurement, 400).reached).toBe(false);
  });

  test('set a variant of another precision beside the peak of that', () => {
    const result = resultOf(row, measurement, 400, { fast: 800 });
    expect(result.others.map(({ speed }) => speed?.peakShare?.toFixed(3))).toEqual([
      '0.100',
      '0.111',
      '1.000',
      undefined,
    ]);
  });

  test('are drawn with the ratio first', () => {
    const failed = failureOf({ ...row, name: 'other' }, new BenchError('it burns'));
    const lines = drawTable([resultOf(row, measurement, 400), failed]).split('\n');
    const line = (text: string) => lines.find((candidate) => candidate.includes(text)) ?? '';
    expect(line('example')).toMatch(
      /example \(native\) +│ 2\.50 +│ 2\.00 +│ 20\.0 .*500 images\/s.*fast +│ 50\.0/,
    );
    expect(line('broken')).toMatch(/for information.*no such thing/);
    expect(line('other (native)')).toMatch(/failed.*it burns/);
    expect(failed).toMatchObject({ row: 'other', reached: false, error: 'it burns' });
  });
});

describe('Python', () => {
  test('that is not there is an error that names it', async () => {
    await expect(findPython('/nonexistent/python', () => {})).rejects.toThrow(
      '/nonexistent/python cannot be the other side',
    );
  });

  test('is not looked for where arguments are wrong', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bench-test-'));
    const child = Bun.spawn(
      [process.execPath, join(import.meta.dir, '../../bench/main.ts'), '--only', 'nothing'],
      {
        env: { ...process.env, XDG_CACHE_HOME: folder, PYTHON: '' },
        stdout: 'pipe',
        stderr: 'pipe',
      },
    );
    const stderr = await child.stderr.text();
    expect(await child.exited).toBe(2);
    expect(stderr).toStartWith('bench: --only nothing: no row begins so');
    await rm(folder, { recursive: true });
  });
});
