/** What is said of the uncertainty of a table's numbers, and how they are judged. */
import type { TableDefinition } from './definition.ts';
import { formatNumber } from './format.ts';
import type { PaperTable } from './paper.ts';
import type { Cell, Claim, Measured } from './table.ts';
import { assumedModels } from './verdict.ts';

export const spreadNote =
  '± is the sample standard deviation over the n results that are independent, each the mean of those that are not (samples of a seed, seeds of a zoo); there is none where n is 1.';

/** `n = 3 seeds`. */
export const countText = ({ n, of }: Pick<Measured, 'n' | 'of'>): string =>
  `n = ${n} ${of}${n === 1 ? '' : 's'}${of === 'sample' ? ' of one seed' : ''}`;

/** What intervals, claims and verdicts of a table mean, where it has them. */
export function methodNotes(
  { metric, margin, decimals, claims: orders, contrasts = [] }: TableDefinition,
  paper: PaperTable,
  cells: readonly Cell[],
  claims: readonly Claim[],
): string[] {
  const models = new Set(cells.flatMap(({ measured }) => measured?.models ?? []));
  const judged = cells.filter(({ status }) => verdicts.has(status));
  const isMeasured = claims.some(({ verdict }) => verdict !== null);
  const size = formatNumber(margin.size, decimals);
  const isShown = orders.some(({ orEqual }) => orEqual);
  return [
    ...(models.size > 0
      ? [
          `[…] are 95 % intervals: ${[...models].join(' or ')} test models drawn with replacement, each with all its checkpoints, and the spread of seeds where there are several.`,
        ]
      : []),
    ...(metric === 'r2' && cells.some(({ measured }) => measured?.interval === null)
      ? [
          'R² has no interval where there are fewer than 4 test models, or where a run kept no predictions with what they are compared with: `exp rerun` sets it aside, to be computed again.',
        ]
      : []),
    ...(isMeasured
      ? [
          `A claim holds where the interval of the difference is above 0${isShown ? ` (not below: above -${size})` : ''}, fails where it is below, and else is inconclusive; it is trivial where both numbers are within ${size} of chance or of the ceiling.`,
        ]
      : []),
    ...(isMeasured || contrasts.length > 0
      ? [
          'Differences have 95 % intervals, paired by seed or test model where both numbers have the same, and else by Welch.',
        ]
      : []),
    ...(paper.spread ? [`± of the paper: ${paper.spread}${assumption(cells)}`] : []),
    ...(judged.length > 0
      ? [
          `equivalent (=): the 90 % interval of ours less the paper's, by Welch's standard error, lies within ±${size} (two one-sided tests at 5 %); different (≠): it lies outside; inconclusive (?): neither, or nothing says how certain ours is. The margin was fixed in advance: ${margin.reason}.`,
        ]
      : []),
    ...(judged.some(({ paper }) => paper?.sd === null)
      ? ['Where the paper has no ±, its number is taken to be as uncertain as ours.']
      : []),
  ];
}

const verdicts: ReadonlySet<string> = new Set(['equivalent', 'different', 'inconclusive']);

const assumption = (cells: readonly Cell[]): string =>
  cells.some(({ paper }) => paper && paper.sd !== null && paper.n === null)
    ? ` Where it is not, ${assumedModels} are assumed, as many as the released example keeps.`
    : '';
