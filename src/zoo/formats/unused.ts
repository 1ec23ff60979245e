/** What of a file is not used, in a line. */
import { partOf } from '../../nets/state-names.ts';
import type { Unused } from './checkpoint.ts';

/** How many names are listed for a reason. */
const shown = 5;

/** `num_batches_tracked of 20 tensors (a counter of batches); …`: by reason, tensors of many modules by their part. Empty for nothing. */
export function describeUnused(unused: readonly Unused[]): string {
  const byReason = Map.groupBy(unused, ({ reason }) => reason);
  return Array.from(byReason, ([reason, all]) => {
    const full = all.map(({ name }) => name);
    const names = full.length > shown ? [...new Set(full.map(partOf))] : full;
    const more = names.length > shown ? ` and ${names.length - shown} more` : '';
    const of = names === full ? '' : ` of ${full.length} tensors`;
    return `${names.slice(0, shown).join(', ')}${more}${of} (${reason})`;
  }).join('; ');
}
