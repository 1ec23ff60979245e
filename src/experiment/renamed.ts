/** Settings that were renamed: their old names are read for one version more, with a warning. */
import type { Catalogue } from './catalogue.ts';
import type { Problem } from './problems.ts';
import type { KeyChange } from './source.ts';

/** The new name of a key in a mapping at `path`, or undefined: in a block, or dotted (`zoo.epochs`) wherever dotted names are written. */
export type Rename = (path: readonly (string | number)[], key: string) => string | undefined;

/** The renaming that a catalogue's blocks ask for. */
export function renameOf({ stages }: Catalogue): Rename {
  const names = new Map<string, string>();
  for (const { settings } of Object.values(stages)) {
    for (const [old, name] of Object.entries(settings?.renamed ?? {}))
      names.set(`${settings?.block}.${old}`, `${settings?.block}.${name}`);
  }
  return (path, key) => {
    if (key.includes('.')) return names.get(key);
    const block = path.at(-1);
    return names.get(`${block}.${key}`)?.slice(`${block}.`.length);
  };
}

/** The warning about a name that has changed. */
export const renameWarning = ({ from, to, place }: KeyChange): Problem => ({
  code: 'renamed-setting',
  path: from,
  place,
  message: `is now called ${to}`,
  hint: 'the old name is read until the next version',
});

/** Dotted settings with their present names, and a warning for each that had its old one. */
export function renameSettings<Value>(
  catalogue: Catalogue,
  option: string,
  settings: Readonly<Record<string, Value>>,
): { settings: Record<string, Value>; warnings: Problem[] } {
  const rename = renameOf(catalogue);
  const warnings: Problem[] = [];
  const entries = Object.entries(settings).map(([name, value]) => {
    const to = rename([], name);
    if (to === undefined) return [name, value] as const;
    warnings.push({ ...renameWarning({ from: name, to, place: undefined }), path: `${option} ${name}` });
    return [to, value] as const;
  });
  return { settings: Object.fromEntries(entries), warnings };
}
