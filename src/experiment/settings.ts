/** Settings by their dotted names. */
import type { Json } from '../base/json.ts';
import type { Settings } from './types.ts';

type Blocks = Record<string, Record<string, Json>>;

/** The value of a setting in its block. */
export const settingIn = (block: object, name: string): Json => (block as Record<string, Json>)[name] as Json;

/** The value of `block.name`. */
export function settingOf(settings: Settings, dotted: string): Json {
  const [block, name] = dotted.split('.') as [string, string];
  return (settings as unknown as Blocks)[block]?.[name] as Json;
}

/** The settings with other values for some; nothing that was there is changed, and blocks without other values are the same objects. */
export function withSettings(settings: Settings, values: Readonly<Record<string, Json>>): Settings {
  const before = settings as unknown as Blocks;
  const changed: Blocks = { ...before };
  for (const dotted in values) {
    const [block, name] = dotted.split('.') as [string, string];
    if (changed[block] === before[block]) changed[block] = { ...before[block] };
    (changed[block] as Record<string, Json>)[name] = values[dotted] as Json;
  }
  return changed as unknown as Settings;
}
