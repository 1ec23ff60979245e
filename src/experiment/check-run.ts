/** Mistakes between the settings of one run, which only its resolved settings show. */
import type { Problem } from './problems.ts';
import type { Settings } from './types.ts';

type RunProblem = Omit<Problem, 'path' | 'place'> & { path: string[] };

/** What is wrong with a run's settings. `given` are the settings that the file or the arguments gave. */
export function checkRun(settings: Settings, given: ReadonlySet<string>): RunProblem[] {
  const { zoo, sane, property_prediction: prediction } = settings;
  const problems: RunProblem[] = [];
  const late = zoo.checkpoints.filter((epoch) => epoch > zoo.epochs);
  if (late.length > 0) {
    problems.push({
      code: 'late-checkpoint',
      path: ['zoo', 'checkpoints'],
      message: `the zoo ends at epoch ${zoo.epochs}`,
      received: `epochs ${late.join(', ')}`,
      hint: 'raise zoo.epochs or leave these checkpoints out',
    });
  }
  for (const [block, used] of [
    ['sane', sane.epochs_used],
    ['property_prediction', prediction.epochs_used],
  ] as const) {
    const missing = (used ?? []).filter((epoch) => !zoo.checkpoints.includes(epoch));
    if (missing.length > 0 && given.has(`${block}.epochs_used`)) {
      problems.push({
        code: 'missing-checkpoint',
        path: [block, 'epochs_used'],
        message: `the zoo keeps the epochs ${zoo.checkpoints.join(', ')}`,
        received: `epochs ${missing.join(', ')}`,
        hint: 'add them to zoo.checkpoints',
      });
    }
  }
  if (sane.d_model % sane.heads !== 0) {
    problems.push({
      code: 'uneven-heads',
      path: ['sane', 'heads'],
      message: 'heads must divide sane.d_model',
      received: `${sane.heads} heads, a d_model of ${sane.d_model}`,
    });
  }
  const models = Object.values(zoo.vary).reduce(
    (all, values) => all * (values as unknown[]).length,
    zoo.models,
  );
  const [train, val] = zoo.split.map((share) => Math.floor(share * models + 1e-9)) as [
    number,
    number,
    number,
  ];
  if (train < 1 || val < 1 || models - train - val < 1) {
    problems.push({
      code: 'small-zoo',
      path: ['zoo', 'models'],
      message: 'every split needs at least one model',
      received: `${models} models: ${train} train, ${val} validation, ${models - train - val} test`,
      hint: 'raise zoo.models',
    });
  }
  return problems;
}
