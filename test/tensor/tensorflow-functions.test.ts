/** Kernels that become functions of TensorFlow: when, and that these compute the same. Skipped where EXP_TENSORFLOW names none. */
import { beforeAll, describe, expect, test } from 'bun:test';
import { buildAddon } from '../../src/tensor/devices/tensorflow/build.ts';
import { execute, type Kernel, run } from '../../src/tensor/devices/tensorflow/execute.ts';
import { asFunction } from '../../src/tensor/devices/tensorflow/functions.ts';
import { FunctionLibrary } from '../../src/tensor/devices/tensorflow/graph.ts';
import { activeBackend, type Handle, integers, scalar } from '../../src/tensor/devices/tensorflow/handles.ts';
import { findInstallation, type Installation } from '../../src/tensor/devices/tensorflow/installation.ts';
import { add, mul } from '../../src/tensor/devices/tensorflow/operations.ts';
import * as ops from '../../src/tensor/ops.ts';
import { tf } from '../../src/tensor/tf.ts';
import { expectSame } from './compare.ts';
import { noTensorflow, startTested } from './devices.ts';
import * as naive from './naive-ops.ts';
import { makeCase } from './op-cases.ts';

// The addon that the package downloads takes none.
describe.skipIf(noTensorflow !== undefined || !process.env.EXP_TENSORFLOW)('a function of TensorFlow', () => {
  let library: FunctionLibrary;

  beforeAll(async () => {
    await startTested(['tensorflow'], 1);
    library = new FunctionLibrary((await buildAddon(findInstallation() as Installation)).path);
  });

  test('takes the place of a kernel that has run twice on the same shapes with the same attributes', () => {
    let runs = 0;
    const kernel: Kernel = ({ a, b }: Record<'a' | 'b', Handle>, { factor }: { factor: number }) => {
      runs++;
      const stacked = execute('Pack', [a, mul(b, scalar(factor))], { N: 2, axis: 1 });
      return [stacked, execute('Sum', [add(a, b), integers([0])], { keep_dims: true })];
    };
    const fused = asFunction('TestOfFunctions', kernel, library);
    const results = (a: number[], b: number[], factor: number) =>
      tf.tidy(() =>
        run(fused, { a: tf.tensor1d(a), b: tf.tensor1d(b) }, { factor }).map((tensor) => tensor.arraySync()),
      );
    for (const count of [1, 2, 2, 2]) {
      expect(results([1, 2], [3, 5], 10)).toEqual([
        [
          [1, 30],
          [2, 50],
        ],
        [11],
      ]);
      expect(runs).toBe(count);
    }
    // Not the numbers that it was recorded with.
    expect(results([0, 7], [1, 2], 10)).toEqual([
      [
        [0, 10],
        [7, 20],
      ],
      [10],
    ]);
    expect(runs).toBe(2);
    expect(results([1, 2], [3, 5], 100)).toEqual([
      [
        [1, 300],
        [2, 500],
      ],
      [11],
    ]);
    expect(results([1, 2, 3], [3, 5, 7], 10)).toEqual([
      [
        [1, 30],
        [2, 50],
        [3, 70],
      ],
      [21],
    ]);
    expect(runs).toBe(4);
  });

  test('is not made of what a kernel has from elsewhere', () => {
    const other = tf.tensor1d([1, 2]);
    const outside: Handle[] = [];
    const keep: Kernel = ({ a }: Record<'a', Handle>) => {
      outside.push(a);
      return [add(a, a)];
    };
    tf.dispose(run(keep, { a: other }, {}));
    const kernel: Kernel = ({ a }: Record<'a', Handle>) => [add(a, outside[0] as Handle)];
    const fused = asFunction('TestOfOthers', kernel, library);
    const once = () => tf.tidy(() => void run(fused, { a: tf.tensor1d([3, 4]) }, {}));
    once();
    expect(once).toThrow(
      'TensorFlow does not take the function TestOfOthers0 of tensors [2]: a call uses what is neither an input nor computed nor a constant. ' +
        'Use another version of TensorFlow, or the device native.',
    );
    other.dispose();
  });

  test('computes a transformer block and its gradients as the plain formula does', async () => {
    const { inputs, apply } = makeCase('transformerBlock', 3);
    const of =
      (operations: typeof naive) =>
      (...xs: tf.Tensor[]) =>
        apply(operations, ...xs);
    // Run as it is, recorded, as a function.
    const left: number[] = [];
    for (let time = 0; time < 4; time++) {
      await expectSame('tensorflow', inputs, of(ops), of(naive));
      left.push(activeBackend().binding.getNumOfTensors());
    }
    expect(left[3]).toBe(left[2] as number);
  });
});
