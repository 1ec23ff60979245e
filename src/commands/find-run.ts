/** The run that an argument names. */
import { runsNamed } from '../experiment/run-names.ts';
import { didYouMean } from '../experiment/suggest.ts';
import type { Run } from '../experiment/types.ts';
import { UsageError } from './usage.ts';

const shown = 5;

/** Throws a UsageError where no run, or more than one, has that name. Runs of equal work are one. `nameOf` is how a run is named in messages. */
export function findRun<Of extends Run>(
  text: string,
  runs: readonly Of[],
  nameOf: (run: Of) => string = ({ id }) => id,
): Of {
  const found = runsNamed(text, runs);
  const [first] = found;
  const names = [...new Set((first ? found : runs).map(nameOf))];
  const some = names.slice(0, shown).join('  ');
  if (!first) throw new UsageError(`unknown run: ${text}`, didYouMean(text, names) ?? `e.g. ${some}`);
  if (found.some(({ resultKey }) => resultKey !== first.resultKey)) {
    const more = names.length > shown ? `  and ${names.length - shown} more` : '';
    throw new UsageError(`${text} is the name of ${found.length} runs`, `say which: ${some}${more}`);
  }
  return first;
}
