/** Models to draw views of, given as flat vectors. */
import { join } from 'node:path';
import { openSafetensors, writeSafetensors } from '../../src/base/safetensors.ts';
import type { ViewSet } from '../../src/sane/view-thread.ts';
import { drawViews, type ViewedModel, type ViewKind } from '../../src/sane/views.ts';

/** Views of models of one architecture. */
export const drawOf = (
  origin: ViewKind['origin'],
  models: readonly Omit<ViewedModel, keyof ViewKind>[],
  ...[settings, random]: [Parameters<typeof drawViews>[1], Parameters<typeof drawViews>[2]]
) =>
  drawViews(
    models.map((model) => ({ ...model, origin, standardization: null })),
    settings,
    random,
  );

/** A model in memory, to compare with those on disk. */
export function inMemory(
  flat: Float32Array,
  permutations = new Map<string, Int32Array>(),
  name = 'in memory',
): Omit<ViewedModel, keyof ViewKind> {
  return {
    name,
    permutations,
    gather: (places, out) => out.set(Float32Array.from(places, (place) => (place < 0 ? 0 : flat[place]!))),
  };
}

/** Models written to files of their own in folder `dir`. */
export async function onDisk(dir: string, name: string, flats: Float32Array[]): Promise<ViewSet> {
  const samples = flats.map(async (data, i) => {
    const path = join(dir, `${name}-${i}.safetensors`);
    await writeSafetensors(path, [{ name: 'flat', shape: [data.length], data }]);
    const opened = await openSafetensors(path);
    await opened.close();
    const file = { path, numbers: data.length, parts: [{ start: 0, byte: opened.dataStart }] };
    return { file, permutations: new Map() };
  });
  return { samples: await Promise.all(samples), standardization: null };
}
