/** The JSON Schema as validators, and what it says of each setting: its default, its place, its rules. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import schema from '../../schemas/experiment.schema.json' with { type: 'json' };
import type { Json } from './types.ts';

/** Blocks of settings that a run's configuration is made of. */
export const blocks = ['data', 'zoo', 'sane', 'property_prediction', 'generation'] as const;
export type Block = (typeof blocks)[number];

/** Axes that are no settings. */
export const plainAxes = ['architecture', 'dataset', 'task', 'seed'] as const;

const ajv = new Ajv({ allErrors: true, allowUnionTypes: true, verbose: true });
ajv.addSchema(schema);

function validator(pointer: string): ValidateFunction {
  const found = ajv.getSchema(`experiment.schema.json${pointer}`);
  if (!found) throw new Error(`no schema at ${pointer}`);
  return found;
}

/** What is wrong with a whole file. */
export function validateExperiment(value: unknown): ErrorObject[] {
  const validate = validator('');
  return validate(value) ? [] : [...(validate.errors ?? [])];
}

function definition(block: Block): Record<string, { default?: Json }> {
  return schema.$defs[block].properties as unknown as Record<string, { default?: Json }>;
}

/** Dotted names of all settings. */
export const settingNames: readonly string[] = blocks.flatMap((block) =>
  Object.keys(definition(block)).map((name) => `${block}.${name}`),
);

/** Names that an axis may have. */
export const axisNames: readonly string[] = [...plainAxes, ...settingNames];

/** What is wrong with one value of an axis or setting; the name must be known. */
export function validateAxisValue(name: string, value: unknown): ErrorObject[] {
  const [block, setting] = name.split('.') as [string, string | undefined];
  const pointer = setting
    ? `#/$defs/${block}/properties/${setting}`
    : name === 'seed'
      ? '#/$defs/assignment/properties/seed'
      : `#/$defs/${name}`;
  const validate = validator(pointer);
  return validate(value) ? [] : [...(validate.errors ?? [])];
}

/** Every setting's default, by block. */
export const defaults = Object.fromEntries(
  blocks.map((block) => [
    block,
    Object.fromEntries(Object.entries(definition(block)).map(([name, rule]) => [name, rule.default as Json])),
  ]),
) as Record<Block, Record<string, Json>>;
