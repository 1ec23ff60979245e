import { describe, expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import type { ArchitectureOptions, ImageSize } from '../../src/nets/architecture.ts';
import { recognise } from '../../src/nets/recognise.ts';
import { architectures } from '../../src/nets/registry.ts';
import { testSeed } from '../seed.ts';

const random = new Random(testSeed, 'recognise');

/** Options that the architecture takes. */
function someOptions(name: string): ArchitectureOptions {
  const width = architectures[name]?.width === null || random.integer(2) ? null : 4 + 2 * random.integer(8);
  const inputs = [28, 32].flatMap((side): ImageSize[] => [
    [side, side, 3],
    [side, side, 1],
  ]);
  for (const input of random.permutation(4)) {
    const options = { input: inputs[input] as ImageSize, classes: 2 + random.integer(30), width };
    try {
      architectures[name]?.build(options);
      return options;
    } catch {}
  }
  throw new Error(`${name} takes no image`);
}

describe('recognise', () => {
  test.each(Object.keys(architectures))('%s by its names, in any order, and by its shapes', (name) => {
    const options = someOptions(name);
    const { state } = architectures[name]!.build(options);
    const counted = state.flatMap((spec): [string, number[]][] => [
      [spec.name, spec.shape],
      ...(spec.name.endsWith('running_var')
        ? [[spec.name.replace('running_var', 'num_batches_tracked'), []] as [string, number[]]]
        : []),
    ]);
    for (const entries of [counted, counted.toReversed()]) {
      const found = recognise(new Map(entries));
      expect(found?.architecture.name).toBe(name);
      expect(found?.architecture.state).toEqual(state);
      expect(found?.options.classes).toBe(options.classes);
    }
    const renamed = state.map((spec, i): [string, number[]] => [
      `other.${i}.${spec.name.split('.').at(-1)}`,
      spec.shape,
    ]);
    const found = recognise(new Map(renamed), { name, input: options.input });
    expect(found?.architecture.state).toEqual(state);
    expect(found?.options).toEqual({
      ...options,
      width: options.width === architectures[name]?.width ? null : options.width,
    });
    expect([...(found?.names.values() ?? [])]).toEqual(renamed.map(([own]) => own));
  });

  test('nothing where a tensor is missing, of another shape, or of another kind', () => {
    const { state } = architectures['cnn-small']!.build({ input: [28, 28, 1], classes: 10, width: null });
    const entries = state.map(({ name, shape }): [string, number[]] => [name, shape]);
    expect(recognise(new Map(entries.slice(1)))).toBeUndefined();
    expect(
      recognise(new Map(entries.map(([name, shape], i) => [name, i === 4 ? [4, 6, 3, 3] : shape]))),
    ).toBeUndefined();
    expect(recognise(new Map(entries.map(([name, shape]) => [`${name}_v`, shape])))).toBeUndefined();
    expect(recognise(new Map(entries), { name: 'cnn-large' })).toBeUndefined();
    expect(recognise(new Map(entries), { input: [28, 28, 3] })).toBeUndefined();
    expect(recognise(new Map())).toBeUndefined();
  });
});
