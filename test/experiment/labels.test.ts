/** Labels that distinguish stages. */
import { expect, test } from 'bun:test';
import type { JsonObject } from '../../src/base/json.ts';
import { tellApart } from '../../src/experiment/labels.ts';
import type { StageNode } from '../../src/experiment/types.ts';

function labelled(...configs: JsonObject[]): string[] {
  const nodes = configs.map((config, i): StageNode => {
    const key = String(i);
    return { stage: 'zoo', key, version: 1, config, inputs: {}, parts: 1, label: 'zoo' };
  });
  tellApart(nodes);
  return nodes.map(({ label }) => label);
}

test('name what differs, within objects its field', () => {
  const config = (width: number, epochs: number) => ({ same: 1, epochs, recipe: { width, init: 'uniform' } });
  expect(labelled(config(4, 2), config(8, 2))).toEqual(['zoo recipe.width=4', 'zoo recipe.width=8']);
  expect(labelled(config(4, 2), config(8, 3))).toEqual([
    'zoo epochs=2 recipe.width=4',
    'zoo epochs=3 recipe.width=8',
  ]);
});

test('show a value as a whole where it is an object in some only, or where nothing else differs', () => {
  expect(labelled({ crop: null }, { crop: { side: 28 } })).toEqual(['zoo crop=null', 'zoo crop={"side":28}']);
  expect(labelled({ crop: {} }, { crop: { side: null } })).toEqual(['zoo crop={}', 'zoo crop={"side":null}']);
});

test('read names with dots as they are', () => {
  expect(labelled({ 'a.b': 1 }, { 'a.b': 2 })).toEqual(['zoo a.b=1', 'zoo a.b=2']);
});

test('name seeds that stand apart from configs', () => {
  const nodes = [3, 4].map(
    (seed): StageNode => ({
      ...{ stage: 'zoo', key: String(seed), version: 1, config: { epochs: seed }, seed },
      ...{ inputs: {}, parts: 1, label: 'zoo' },
    }),
  );
  tellApart(nodes);
  expect(nodes.map(({ label }) => label)).toEqual(['zoo epochs=3 seed=3', 'zoo epochs=4 seed=4']);
});
