/** YAML's merge keys and the blocks that are there for them. */
import { describe, expect, test } from 'bun:test';
import { parseExperiment } from '../../src/experiment/parse.ts';
import { catalogue } from '../../src/stages/catalogue.ts';
import { mistakes, plan, valid } from './files.ts';

const small = valid.replace('zoo:\n  models: 20', 'x-zoo: &small {models: 20, learning_rate: 0.01}\nzoo:\n');
const merging = (keys: string) => small.replace('zoo:\n\n', `zoo:\n${keys}\n`);

describe('<< merges', () => {
  test('a mapping, whose keys lose to those beside them; the block that it is from is no setting', () => {
    const text = merging('  <<: *small\n  learning_rate: 0.02');
    const { zoo } = plan(text).runs[0]?.settings ?? {};
    expect(zoo).toMatchObject({ models: 20, learning_rate: 0.02, epochs: 5 });
    expect(Object.keys(parseExperiment(text, 'e.yaml', catalogue).experiment)).not.toContain('x-zoo');
    expect(plan(text).stages.map(({ key }) => key)).toEqual(
      plan(valid.replace('models: 20', 'models: 20\n  learning_rate: 0.02')).stages.map(({ key }) => key),
    );
  });

  test('several, the first of which win, and those that merge others', () => {
    const text = `x-more: &more {models: 30, batch_size: 16}\n${merging('  <<: [*more, *small]')}`;
    expect(plan(text).runs[0]?.settings.zoo).toMatchObject({
      models: 30,
      batch_size: 16,
      learning_rate: 0.01,
    });
    const chain = merging('  <<: *both').replace(
      '\nzoo:',
      '\nx-both: &both {<<: *small, batch_size: 8}\nzoo:',
    );
    expect(plan(chain).runs[0]?.settings.zoo).toMatchObject({ models: 20, batch_size: 8 });
  });

  test('with a mistake in what is merged shown there', () => {
    expect(mistakes(merging('  <<: *small').replace('models: 20', 'models: many'))).toBe(
      [
        'e.yaml:7:24 error zoo.models: wrong type',
        '  7 | x-zoo: &small {models: many, learning_rate: 0.01}',
        '    |                        ^^^^',
        '  expected a whole number',
        '  received "many"',
        '',
        '1 mistake, nothing was run.',
      ].join('\n'),
    );
  });

  test('settings by their old names too', () => {
    const { warnings, experiment } = parseExperiment(
      merging('  <<: *small').replace('models: 20', 'models: 20, models_at_once: 2'),
      'e.yaml',
      {
        ...catalogue,
        stages: Object.fromEntries(
          Object.entries(catalogue.stages).map(([name, stage]) => [
            name,
            name === 'zoo' && stage.settings
              ? { ...stage, settings: { ...stage.settings, renamed: { models_at_once: 'batch_size' } } }
              : stage,
          ]),
        ),
      },
    );
    expect(warnings.map(({ path, place }) => [path, place?.line])).toEqual([['zoo.models_at_once', 7]]);
    expect(experiment.zoo).toMatchObject({ batch_size: 2, models: 20 });
  });

  test.each([
    ['a number', '  <<: 3', '9:7', '<< merges mappings only'],
    ['a list of numbers', '  <<: [*small, 3]', '9:7', '<< merges mappings only'],
    ['nothing', '  <<:', '9:6', '<< merges mappings only'],
    ['itself', '  sub: &sub {<<: *sub}', '9:18', 'or to themselves'],
  ])('%s is a mistake', (_, keys, place, message) => {
    const text = mistakes(merging(keys));
    expect(text).toContain(`e.yaml:${place} error `);
    expect(text).toContain(message);
    expect(text).toContain('1 mistake, nothing was run.');
  });

  test('that multiply are refused before they explode', () => {
    const lines = ['x-0: &a0 {k: 1, l: 2, m: 3}'];
    for (let i = 1; i < 12; i++)
      lines.push(`x-${i}: &a${i} {<<: [${new Array(9).fill(`*a${i - 1}`).join(', ')}]}`);
    expect(mistakes(`${lines.join('\n')}\n${valid}`)).toContain(
      'merges multiply to more than 10000 values, or to themselves\n  6 | x-5: &a5 {<<: [*a4,',
    );
  });
});

test('x- blocks are for the top of a file only', () => {
  expect(mistakes(valid.replace('models: 20', 'x-models: 20'))).toContain('zoo.x-models: unknown key');
});
