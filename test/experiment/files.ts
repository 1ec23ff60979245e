/** A valid experiment for the tests, and ways to plan and to fail. */
import { type PlanOptions, planExperiment } from '../../src/experiment/expand.ts';
import { parseExperiment } from '../../src/experiment/parse.ts';
import { ExperimentError, formatProblems } from '../../src/experiment/problems.ts';
import type { Plan } from '../../src/experiment/types.ts';
import { catalogue } from '../../src/stages/catalogue.ts';

export const valid = `name: test
grid:
  architecture: [cnn-small]
  dataset: [glyphs]
  task: [property-prediction]
  seed: [0, 1]
zoo:
  models: 20
  epochs: 5
sane:
  epochs: 3
`;

export const plan = (text: string, options?: PlanOptions): Plan =>
  planExperiment(parseExperiment(text, 'e.yaml', catalogue), options);

/** What a person reads when the text is wrong; fails if it is not. */
export function mistakes(text: string, options?: PlanOptions): string {
  try {
    plan(text, options);
  } catch (error) {
    if (error instanceof ExperimentError) return formatProblems(error, { color: false });
    throw error;
  }
  throw new Error('the text was accepted');
}
