/** Where the paper's text and the released code differ: settings that there are, by the defaults that the words say. */
import { expect, test } from 'bun:test';
import { departureNotes } from '../../src/report/tables/departures.ts';
import { tableDefinitions } from '../../src/report/tables/registry.ts';
import { defaults } from '../../src/stages/catalogue.ts';

/** What the settings have to be for the words to be true. */
const said = {
  'sane.standardization': 'per-split',
  'sane.padding_in_loss': true,
  'sane.view_2': 'permuted',
  'sane.permutation_protocol': 'own',
  'property_prediction.padding_in_statistics': true,
  'property_prediction.embedding': 'windows',
  'generation.draws': 'shared',
  'generation.prompt_accuracy': 'test',
};
/** Of single tables, in whose recipes it is set. */
const ofRecipes = ['sane.batch_norm_tokens'];

test('every table names those of its numbers, which are true of the defaults', () => {
  const found = new Set<string>();
  for (const { departures = [] } of tableDefinitions) {
    expect(departures.length).toBeGreaterThan(0);
    for (const { setting } of departures) found.add(setting);
  }
  expect([...found].sort()).toEqual([...Object.keys(said), ...ofRecipes].sort());
  for (const [name, value] of Object.entries(said)) {
    const [block, setting] = name.split('.') as ['sane', 'standardization'];
    expect<unknown>(defaults[block][setting]).toBe(value);
  }
});

test('is said in a sentence for each side', () => {
  expect(
    departureNotes([
      { setting: 'a.b', follows: 'text', words: 'one' },
      { setting: 'c.d', follows: 'code', words: 'two' },
      { setting: 'e.f', follows: 'text', words: 'three' },
    ]),
  ).toEqual([
    "By default as the authors' released code has it, not the paper's text: two, c.d.",
    "By default as the paper's text has it, not the released code: one, a.b; three, e.f.",
  ]);
  expect(departureNotes([])).toEqual([]);
});
