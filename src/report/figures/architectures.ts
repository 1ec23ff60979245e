/** The paper's figure 5: sampled networks beside those from scratch, by the architecture that is generated, after equal fine-tuning. */
import * as Plot from '@observablehq/plot';
import type { Run } from '../../experiment/types.ts';
import { targetOf } from '../groups.ts';
import type { RunResults } from '../measure.ts';
import { titleOf } from '../metrics.ts';
import { pathOf, summarize, unitsOf } from '../statistics/units.ts';
import { colorsOf, draw, type Figure } from './draw.ts';
import { bandOf, variant } from './series.ts';

/** Axes that the name of a group says. */
const named = ['generation.prompt_zoo', 'generation.target_dataset', 'generation.epochs'];

/** What a run generates, which may be of another architecture and for another data set than SANE's zoo, and the epochs of its fine-tuning. */
function describeGenerated(run: Run): string {
  return `${architectureOf(run)}, ${targetOf(run)}, ${Math.max(...run.settings.generation.epochs)} epochs`;
}

const architectureOf = ({ architecture, settings: { generation } }: Run) =>
  generation.prompt_zoo?.architecture ?? architecture;

/** Mean accuracy and standard deviation at the end of fine-tuning. Null where runs generate networks of one architecture only. */
export function drawByArchitecture(runs: readonly Run[], results: RunResults): Figure | null {
  const generating = runs.filter(({ task }) => task === 'generation');
  const found = generating.flatMap((run) => {
    const result = results.get(run.id);
    if (result?.status !== 'done') return [];
    const last = Math.max(...run.settings.generation.epochs);
    return result.records
      .filter(
        ({ metric, labels }) => metric === 'accuracy' && labels.split === 'test' && labels.epoch === last,
      )
      .map((record) => ({
        architecture: architectureOf(run),
        group: `${describeGenerated(run)}${variant(run, generating, named)}`,
        method: titleOf('method', String(record.labels.method)),
        ...{ path: pathOf(run, record), value: 100 * record.value },
      }));
  });
  if (new Set(found.map(({ architecture }) => architecture)).size < 2) return null;
  const points = [
    ...Map.groupBy(found, ({ group, method }) => JSON.stringify([group, method])).values(),
  ].flatMap((same) => {
    const measured = summarize([...(unitsOf(same)?.values.values() ?? [])]);
    if (!measured) return [];
    return [{ ...(same[0] as (typeof same)[number]), ...bandOf(measured) }];
  });
  const groups = [...new Set(points.map(({ group }) => group))];
  const methods = [...new Set(points.map(({ method }) => method))];
  const caption =
    "Accuracy at the end of fine-tuning, from scratch and sampled, by the architecture that is generated (as the paper's figure 5), mean and standard deviation";
  return draw('by-architecture', caption, {
    legend: methods,
    ...{
      width: 640 + 3 * Math.max(0, ...groups.map(({ length }) => length - 30)),
      height: 60 + 30 * groups.length * methods.length,
      marginLeft: 24 + 7.4 * Math.max(...groups.map(({ length }) => length)),
      marginRight: 20,
    },
    x: { label: 'accuracy in %', domain: [0, 100] },
    y: { axis: null, domain: methods },
    fy: { label: null, domain: groups, axis: 'left' },
    color: colorsOf(methods),
    marks: [
      Plot.barX(points, { x: 'mean', y: 'method', fy: 'group', fill: 'method', fillOpacity: 0.75 }),
      Plot.ruleY(points, { x1: 'low', x2: 'high', y: 'method', fy: 'group' }),
    ],
  });
}
