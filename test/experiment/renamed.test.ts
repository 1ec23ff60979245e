/** Old names of settings: read wherever a setting may be named, with a warning that says the new one. */
import { expect, test } from 'bun:test';
import { planExperiment } from '../../src/experiment/expand.ts';
import { parseExperiment } from '../../src/experiment/parse.ts';
import { ExperimentError, formatProblems, formatWarnings } from '../../src/experiment/problems.ts';
import { catalogue } from '../../src/stages/catalogue.ts';

const { zoo } = catalogue.stages;
/** The catalogue as it would be had zoo.models and zoo.epochs been called otherwise before. */
const renaming = {
  ...catalogue,
  stages: {
    ...catalogue.stages,
    zoo: { ...zoo!, settings: { ...zoo!.settings!, renamed: { members: 'models', cycles: 'epochs' } } },
  },
};

const text = (zooBlock: string) => `name: test
grid:
  architecture: [cnn-small]
  dataset: [glyphs]
  task: [property-prediction, generation]
  zoo.members: [20, 30]
zoo:
${zooBlock}
overrides:
  - when: { zoo.members: 20 }
    set: { zoo.cycles: 6 }
generation:
  prompt_zoo: { zoo: { cycles: 8 } }
`;

test('are read in blocks, axes, overrides, nested blocks and arguments', () => {
  const parsed = parseExperiment(text('  cycles: 5'), 'e.yaml', renaming);
  const plan = planExperiment(parsed, { set: { 'zoo.cycles': 7 }, only: { 'zoo.members': ['20'] } });
  expect(plan.runs.map(({ settings }) => settings.zoo)).toMatchObject([
    { models: 20, epochs: 7 },
    { models: 20, epochs: 7 },
  ]);
  expect(plan.runs[1]?.settings.generation.prompt_zoo?.zoo).toEqual({ epochs: 8 });
  const line = (where: string, from: string, to: string) =>
    `${where} warning ${from}: is now called ${to} (the old name is read until the next version)`;
  expect(formatWarnings(plan.warnings, 'e.yaml')).toEqual([
    line('e.yaml:6:3', 'zoo.members', 'zoo.models'),
    line('e.yaml:8:3', 'zoo.cycles', 'zoo.epochs'),
    line('e.yaml:10:13', 'zoo.members', 'zoo.models'),
    line('e.yaml:11:12', 'zoo.cycles', 'zoo.epochs'),
    line('e.yaml:13:24', 'zoo.cycles', 'zoo.epochs'),
    line('e.yaml', '--set zoo.cycles', 'zoo.epochs'),
    line('e.yaml', '--only zoo.members', 'zoo.models'),
  ]);
});

test('beside the new ones are a mistake, and mistakes in their values are shown at their place', () => {
  const mistakes = (block: string) => {
    try {
      parseExperiment(text(block), 'e.yaml', renaming);
    } catch (error) {
      if (error instanceof ExperimentError) return formatProblems(error, { color: false });
    }
    throw new Error('the text was accepted');
  };
  expect(mistakes('  cycles: 5\n  epochs: 6')).toContain(
    'e.yaml:8:3 error zoo.cycles: is the old name of zoo.epochs, which is there too\n  8 |   cycles: 5',
  );
  expect(mistakes('  cycles: five')).toContain('e.yaml:8:11 error zoo.epochs: ');
});

test('are in no experiment of this project, and each leads to a setting that there is', () => {
  for (const { settings } of Object.values(catalogue.stages)) {
    const names = Object.keys(settings?.schema.properties ?? {});
    for (const [old, name] of Object.entries(settings?.renamed ?? {})) {
      expect(names).toContain(name);
      expect(names).not.toContain(old);
    }
  }
});
