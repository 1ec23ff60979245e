/** The grid: axes to points, each of which is one run. */
import { canonicalJson, type Json } from '../base/json.ts';
import { plainAxes } from './json-schema.ts';
import type { Experiment } from './types.ts';

/** Values of a run's axes by name. */
export type Axes = Record<string, Json>;

/** Every combination of lists, the last axis fastest. */
function product(axes: Record<string, readonly Json[]>): Axes[] {
  let points: Axes[] = [{}];
  for (const [name, values] of Object.entries(axes)) {
    points = points.flatMap((point) => values.map((value) => ({ ...point, [name]: value })));
  }
  return points;
}

export const asText = (value: Json | undefined) =>
  typeof value === 'string' ? value : canonicalJson(value ?? null);

/** Whether a point has, for every axis named, (one of) the values given. */
export function matches(point: Axes, matcher: Record<string, Json>): boolean {
  return Object.entries(matcher).every(([axis, wanted]) => {
    const value = asText(point[axis]);
    // A list may be the axis' own value (epochs, say) as well as a choice of values.
    return asText(wanted) === value || (Array.isArray(wanted) && wanted.some((one) => asText(one) === value));
  });
}

/** All points of the grid after zip and include, before exclude. Seeds default to a single 0. */
export function expandPoints(experiment: Experiment): Axes[] {
  const grid = experiment.grid as Record<string, Json[]>;
  let points = product(grid);
  for (const zip of (experiment.zip ?? []) as Record<string, Json[]>[]) {
    const length = Object.values(zip)[0]?.length ?? 0;
    const rows = Array.from({ length }, (_, i) =>
      Object.fromEntries(Object.entries(zip).map(([name, values]) => [name, values[i] as Json])),
    );
    points = points.flatMap((point) => rows.map((row) => ({ ...point, ...row })));
  }
  const single = Object.fromEntries(
    Object.entries(grid).flatMap(([name, values]) =>
      values.length === 1 ? [[name, values[0] as Json]] : [],
    ),
  );
  // A grid without all of the plain axes makes no runs of its own; include then gives full ones. Its points have the same axes.
  const isWhole = (point: Axes) => plainAxes.every((axis) => axis === 'seed' || axis in point);
  const ofGrid = points.slice(0, 1).some(isWhole) ? points : [];
  const added = ((experiment.include ?? []) as Axes[]).map((entry) => ({ ...single, ...entry }));
  const all = [...ofGrid, ...added].map((point) =>
    point.seed === undefined ? { ...point, seed: 0 } : point,
  );
  // Lists of the grid repeat nothing, which the parser has checked.
  if (added.length === 0) return all;
  return [...new Map(all.map((point) => [canonicalJson(point), point])).values()];
}

/** A name for each run: the axes in which runs differ. */
export function runId(point: Axes, varying: readonly string[]): string {
  const parts: string[] = [];
  for (const axis of varying) if (axis in point) parts.push(`${axis}=${asText(point[axis])}`);
  return parts.length > 0 ? parts.join(',') : String(point.task);
}
