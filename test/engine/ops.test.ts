import { beforeAll, describe, expect, test } from 'bun:test';
import { startDevice } from '../../src/engine/device.ts';
import * as ops from '../../src/engine/ops.ts';
import { Random } from '../../src/engine/random.ts';
import { tf } from '../../src/engine/tf.ts';
import { expectClose, expectSame, freshSeed, normal } from './compare.ts';
import * as naive from './naive-ops.ts';

beforeAll(() => startDevice('wasm', { threads: 1 }));

type Ops = typeof naive;
const random = new Random(freshSeed, 'ops');
const odd = (low: number, high: number) => low + 2 * random.integer(Math.ceil((high - low) / 2));

for (const backend of ['cpu', 'wasm']) {
  describe(`on ${backend}, shapes of seed ${freshSeed}: value and gradients of the formula for`, () => {
    /** Compares at batch 1 and at a larger, odd one. */
    const same = (name: string, inputs: (batch: number) => ReturnType<typeof normal>[], f: (ops: Ops) => typeof tf.add) => {
      test(name, async () => {
        for (const batch of [1, odd(3, 7)]) {
          const apply = f as unknown as (ops: Ops) => (...inputs: tf.Tensor[]) => tf.Tensor;
          await expectSame(backend, inputs(batch), apply(ops as unknown as Ops), apply(naive));
        }
      });
    };
    void same;
  });
}
