/** Settings that were chosen by looking at results like those of a table. */
import type { Run, Settings } from '../experiment/types.ts';
import { text } from './groups.ts';

interface Choice {
  /** Its dotted name in the experiment file. */
  setting: string;
  /** The results that were looked at. */
  by: string;
  /** Whether it has a part in a run's numbers and is not the paper's or the released code's. */
  isIn(run: Run): boolean;
}

const generates = ({ task, settings }: Run, ...methods: Settings['generation']['methods']): boolean =>
  task === 'generation' && settings.generation.methods.some((method) => methods.includes(method));

const isRelative = ({ settings }: Run): boolean => settings.generation.bandwidth_unit === 'spread';

const choices: readonly Choice[] = [
  {
    setting: 'sane.gamma',
    by: 'the R² and the samples of small SANEs',
    isIn: (run) => run.differences.some(({ setting }) => setting === 'sane.gamma'),
  },
  {
    setting: 'hyper_representation.view_2',
    by: 'the accuracy of samples',
    isIn: (run) =>
      generates(run, 'hyper-representation') &&
      run.differences.some(({ setting }) => setting === 'hyper_representation.view_2'),
  },
  {
    setting: 'generation.bandwidth',
    by: 'the accuracy and novelty of samples near held-out prompts, bench/bandwidth.ts',
    isIn: (run) => isRelative(run) && generates(run, 'kde30', 'sub', 'boot', 'gauss'),
  },
  {
    setting: 'generation.gauss_sd',
    by: 'the accuracy of samples',
    isIn: (run) => isRelative(run) && generates(run, 'gauss'),
  },
  {
    setting: 'generation.rounds',
    by: 'the accuracy of samples',
    isIn: (run) => generates(run, 'boot', 'gauss'),
  },
];

/** One sentence of the choices that have a part in these runs' numbers, with their values; none where there are none. */
export function choiceNotes(runs: readonly Run[]): string[] {
  const phrases = choices.flatMap(({ setting, by, isIn }) => {
    const [block = '', name = ''] = setting.split('.');
    const values = runs.filter(isIn).map(({ settings }) => {
      const own = settings[block as keyof Settings] as unknown as Record<string, unknown>;
      return text(own[name]);
    });
    return values.length > 0 ? [`${setting} ${[...new Set(values)].join(', ')} (by ${by})`] : [];
  });
  return phrases.length > 0 ? [`Chosen by looking at results: ${phrases.join('; ')}.`] : [];
}
