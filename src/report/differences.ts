/** Where runs are not as the paper has them, for a reader. */
import { canonicalJson, type Json } from '../base/json.ts';
import type { Difference } from '../experiment/types.ts';
import { stages } from '../stages/registry.ts';

/** What null says, by the dotted name of the setting, where that is not `all`. */
const nullMeans = new Map(
  Object.values(stages).flatMap(({ settings }) =>
    Object.entries(settings?.nullMeans ?? {}).map(([name, word]) => [`${settings?.block}.${name}`, word]),
  ),
);

/** e.g. `zoo.models 60 (paper 1000)`. */
export function describeDifference({ setting, value, paper }: Difference): string {
  // Settings of a zoo within another block mean what they mean in their own.
  const own = setting.split('.').slice(-2).join('.');
  const describe = (one: Json) => (one === null ? (nullMeans.get(own) ?? 'all') : canonicalJson(one));
  return `${setting} ${describe(value)} (paper ${describe(paper)})`;
}
