/** Settings of a run for networks of another kind than it is about. */
import { canonicalJson, type Json } from '../base/json.ts';
import type { Run } from '../experiment/types.ts';

/** What recipes are of. */
export type Combination = Pick<Run, 'architecture' | 'dataset'>;

/** Settings in which what is `own`, the run's recipe's, gives way to what is `its`, the other's; what the file gives stays. */
export function forAnother<Of extends object>(settings: Of, own: Of, its: Of): Of {
  const entries = Object.entries(settings as Record<string, Json>).map(([name, value]) => {
    const fromRecipe = canonicalJson(value) === canonicalJson(own[name as keyof Of] as Json);
    return [name, fromRecipe ? its[name as keyof Of] : value];
  });
  return Object.fromEntries(entries);
}
