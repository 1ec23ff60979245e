/** Checkpoints that were left out, as the commands of zoos name them. */
import { type Dropped, named } from '../../zoo/import/found.ts';

/** How many are named. */
const shown = 10;

/** A line for each of the first, and one for the rest, which are in the file of that name. */
export function describeDropped(dropped: readonly Dropped[], file?: string): string[] {
  const rest = dropped.length - shown;
  return [
    ...dropped.slice(0, shown).map(named),
    ...(rest > 0 ? [`and ${rest} more${file ? `, in ${file}` : ''}`] : []),
  ];
}
