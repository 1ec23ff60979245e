/** Settings by their dotted names. */
import type { Json } from '../base/json.ts';
import type { Settings } from './types.ts';

type Blocks = Record<string, Record<string, Json>>;

/** The value of `block.name`. */
export function settingOf(settings: Settings, dotted: string): Json {
  const [block, name] = dotted.split('.') as [string, string];
  return (settings as unknown as Blocks)[block]?.[name] as Json;
}

/** The settings with other values for some; nothing that was there is changed. */
export function withSettings(settings: Settings, values: Readonly<Record<string, Json>>): Settings {
  const changed: Blocks = { ...(settings as unknown as Blocks) };
  for (const [dotted, value] of Object.entries(values)) {
    const [block, name] = dotted.split('.') as [string, string];
    changed[block] = { ...changed[block], [name]: value };
  }
  return changed as unknown as Settings;
}
