/** A catalogue's schema as validators, and what it says of each setting: its name, its default, its rules. */
import { Ajv, type ErrorObject } from 'ajv';
import type { Json } from '../base/json.ts';
import type { Catalogue } from './catalogue.ts';
import { experimentSchema, type JsonSchema, plainAxes } from './json-schema.ts';
import type { Settings } from './types.ts';

/** The file format that goes with a catalogue. */
export interface FileFormat {
  /** Blocks of settings that a run's configuration is made of. */
  blocks: readonly string[];
  /** Dotted names of all settings. */
  settingNames: readonly string[];
  /** Names that an axis may have. */
  axisNames: readonly string[];
  /** Every setting's default. */
  defaults: Settings;
  /** What is wrong with a whole file. */
  validateFile(value: unknown): ErrorObject[];
  /** What is wrong with the value of a setting, whose dotted name must be known. */
  validateSetting(name: string, value: unknown): ErrorObject[];
}

const formats = new WeakMap<Catalogue, FileFormat>();

/** Made once for each catalogue. */
export function formatOf(catalogue: Catalogue): FileFormat {
  const known = formats.get(catalogue);
  if (known) return known;
  const made = makeFormat(catalogue);
  formats.set(catalogue, made);
  return made;
}

// The schema is checked by a test, and its validators run once: neither is worth the time at every start.
const ajvOptions = {
  ...{ allErrors: true, allowUnionTypes: true, verbose: true, inlineRefs: false },
  ...{ validateSchema: false, code: { optimize: false } },
} as const;

const partsOf = (file: unknown) => (typeof file === 'object' && file !== null ? Object.keys(file) : []);

function makeFormat(catalogue: Catalogue): FileFormat {
  const blocks = Object.values(catalogue.stages).flatMap(({ settings }) => settings ?? []);
  const settingNames = blocks.flatMap(({ block, schema }) =>
    Object.keys(schema.properties).map((name) => `${block}.${name}`),
  );
  const defaults = blocks.map(({ block, schema }) => {
    const settings = Object.entries(schema.properties);
    return [block, Object.fromEntries(settings.map(([name, rule]) => [name, rule.default as Json]))];
  });
  const compiled = new Map<string, Ajv>();
  /** The rules of the parts and the dotted names that are used, compiled once: all of them take ajv half a second. */
  const validate = (used: ReadonlySet<string>, pointer: string, value: unknown) => {
    const key = [...used].sort().join(' ');
    let ajv = compiled.get(key);
    if (!ajv) {
      const schema = experimentSchema(catalogue, (name) => used.has(name));
      const parts = schema.properties as Record<string, JsonSchema>;
      for (const name of Object.keys(parts)) if (!used.has(name)) parts[name] = {};
      ajv = new Ajv(ajvOptions);
      ajv.addSchema(schema);
      compiled.set(key, ajv);
    }
    const validator = ajv.getSchema(`experiment.schema.json${pointer}`);
    if (!validator) throw new Error(`no schema at ${pointer}`);
    return validator(value) ? [] : [...(validator.errors ?? [])];
  };
  return {
    blocks: blocks.map(({ block }) => block),
    settingNames,
    axisNames: [...plainAxes, ...settingNames],
    defaults: Object.fromEntries(defaults),
    validateFile: (value) => validate(new Set([...partsOf(value), ...dottedKeys(value)]), '', value),
    validateSetting(name, value) {
      const [block, setting] = name.split('.');
      return validate(new Set(), `#/$defs/${block}/properties/${setting}`, value);
    },
  };
}

/** Keys of the parts of a file that name axes and settings by dotted paths. */
function dottedKeys(file: unknown): string[] {
  const part = (of: unknown, name: string) => (of as Record<string, unknown> | null | undefined)?.[name];
  const list = (name: string) => {
    const found = part(file, name);
    return Array.isArray(found) ? (found as unknown[]) : [];
  };
  const overrides = list('overrides').flatMap((entry) => [part(entry, 'when'), part(entry, 'set')]);
  const parts = [part(file, 'grid'), ...list('zip'), ...list('include'), ...list('exclude'), ...overrides];
  return parts.flatMap((of) => (typeof of === 'object' && of !== null ? Object.keys(of) : []));
}
