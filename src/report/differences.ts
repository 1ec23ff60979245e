/** Where runs are not as the paper has them, for a reader. */
import { canonicalJson, type Json } from '../base/json.ts';
import type { Difference } from '../experiment/types.ts';
import { stages } from '../stages/registry.ts';
import type { Condition } from './table.ts';

/** What null says, by the dotted name of the setting, where that is not `all`. */
const nullMeans = new Map(
  Object.values(stages).flatMap(({ settings }) =>
    Object.entries(settings?.nullMeans ?? {}).map(([name, word]) => [`${settings?.block}.${name}`, word]),
  ),
);

/** The values of a difference as a reader knows them. */
export function inWords({ setting, value, paper }: Difference): Omit<Condition, 'where'> {
  // Settings of a zoo within another block mean what they mean in their own.
  const own = setting.split('.').slice(-2).join('.');
  const describe = (one: Json) => {
    if (one === null) return nullMeans.get(own) ?? 'all';
    return typeof one === 'string' ? one : canonicalJson(one);
  };
  return { setting, value: describe(value), paper: describe(paper) };
}
