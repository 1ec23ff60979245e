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
  /** By the rules of what the value names, compiled once: all rules take ajv half a second. */
  const validate = (used: ReadonlySet<string>, pointer: string, value: unknown) => {
    const key = [...used].sort().join(' ');
    let ajv = compiled.get(key);
    if (!ajv) {
      const schema = experimentSchema(catalogue, (name) => used.has(name));
      prune(schema, used);
      for (const { block } of blocks) prune((schema.$defs as Record<string, JsonSchema>)[block], used);
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
    validateFile: (value) => validate(keysIn(value), '', value),
    validateSetting(name, value) {
      const [block, setting] = name.split('.') as [string, string];
      return validate(keysIn({ [setting]: value }), `#/$defs/${block}/properties/${setting}`, value);
    },
  };
}

/** Takes the rules of properties that nothing is called by out of a schema of a mapping; their names stay. */
function prune(schema: JsonSchema | undefined, used: ReadonlySet<string>): void {
  if (!schema) return;
  const properties = Object.entries(schema.properties as Record<string, JsonSchema>);
  schema.properties = Object.fromEntries(
    properties.map(([name, rule]) => [name, used.has(name) ? rule : {}]),
  );
}

/** The keys of all mappings in a value, at any depth; of a dotted one, `sane.gamma`, the name of the setting too. */
function keysIn(value: unknown, found = new Set<string>()): Set<string> {
  if (typeof value !== 'object' || value === null) return found;
  for (const [key, part] of Object.entries(value)) {
    if (!Array.isArray(value)) for (const name of [key, key.slice(key.indexOf('.') + 1)]) found.add(name);
    keysIn(part, found);
  }
  return found;
}
