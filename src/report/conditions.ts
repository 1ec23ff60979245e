/** How runs are not under the paper's conditions: gathered for a table, and said in words, each once. */
import type { RunGroup } from './groups.ts';
import type { Condition } from './table.ts';

/** The conditions of the groups and of their rows, each with the groups that it is true of unless those are all. */
export function gatherConditions(groups: readonly RunGroup[], ofRows: readonly Condition[]): Condition[] {
  const found = groups.flatMap(({ title, varying, conditions }) =>
    conditions.map((condition) => ({ title, condition, isInTitle: varying.includes(condition.setting) })),
  );
  const byCondition = Map.groupBy(found, ({ condition: { value, ...rest }, isInTitle }) =>
    JSON.stringify(isInTitle ? rest : { value, ...rest }),
  );
  const ofGroups = [...byCondition.values()].map((same) => {
    const [{ condition, isInTitle }] = same as [(typeof same)[number]];
    // What groups are titled by need not be said of each again.
    if (isInTitle) {
      const values = new Set(same.map(({ condition }) => condition.value));
      return { ...condition, value: [...values].join(', '), where: '' };
    }
    return {
      ...condition,
      where: same.length === groups.length ? '' : same.map(({ title }) => title).join('; '),
    };
  });
  return [...ofGroups, ...ofRows];
}

/** `zoo.models 64 (paper 1000)`, with what it is true of. */
export function describeCondition({ setting, value, paper, where }: Condition): string {
  return `${where ? `${where}: ` : ''}${setting} ${value} (paper ${paper})`;
}

/** The settings that tell most of a run's scale. */
const telling = ['dataset', 'zoo.models', 'zoo.epochs', 'sane.d_model', 'sane.epochs'];
const shown = 4;

/** One sentence of the most telling conditions and how many more there are; empty where there are none. */
export function summarizeConditions(conditions: readonly Condition[]): string {
  if (conditions.length === 0) return '';
  const rank = ({ setting }: Condition) =>
    (telling.indexOf(setting) + telling.length + 1) % (telling.length + 1);
  const first = [...conditions].sort((a, b) => rank(a) - rank(b)).slice(0, shown);
  const phrases = first.map(({ setting, value, paper, where }) => {
    const text = `${setting} ${value} instead of ${paper}`;
    return where ? `${text} (${where})` : text;
  });
  const more = conditions.length - first.length;
  const rest =
    more > 0 ? `; ${more} more ${more === 1 ? 'difference' : 'differences'} in the list at the end` : '';
  return `Scaled, so not comparable with the paper number by number: ${phrases.join(', ')}${rest}.`;
}
