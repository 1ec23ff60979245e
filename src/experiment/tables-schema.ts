/** What `tables` in an experiment file may ask for, as parts of its JSON Schema. */
import type { Catalogue } from './catalogue.ts';
import { tasksOf } from './catalogue.ts';
import type { JsonSchema } from './json-schema.ts';

/** How a table of the paper is shown: both numbers, ours alone, ours less the paper's. */
export const layouts = ['side-by-side', 'ours', 'difference'] as const;
export type Layout = (typeof layouts)[number];

const value: JsonSchema = { type: ['string', 'number', 'boolean', 'null'] };
const axis: JsonSchema = { $ref: '#/$defs/table_axis' };
const axes = (description: string): JsonSchema => ({
  description,
  anyOf: [axis, { type: 'array', minItems: 1, maxItems: 2, uniqueItems: true, items: axis }],
});

const ofPaper = (ids: readonly number[] | undefined): Record<string, JsonSchema> => ({
  table: {
    description: 'Number of a table of the paper.',
    type: 'integer',
    ...(ids ? { enum: ids } : {}),
  },
  layout: {
    description:
      "side-by-side (default): ours and the paper's number; ours: ours alone; difference: ours less the paper's.",
    type: 'string',
    enum: layouts,
  },
  all: {
    description: 'Whether rows and columns without a run are shown too, in grey. Default false.',
    type: 'boolean',
  },
});

const pivot = (metrics: readonly string[] | undefined, where: JsonSchema): Record<string, JsonSchema> => ({
  metric: {
    description: 'The number in the cells: its mean, and its standard deviation over seeds.',
    type: 'string',
    ...(metrics ? { enum: metrics } : {}),
  },
  rows: axes('An axis, a setting or a label of the results whose values are the rows; or two.'),
  columns: axes('The same for the columns. Default: one column.'),
  where,
  title: { description: 'Title of the table.', type: 'string' },
});

/** The parts for a catalogue: an entry of `tables`, and the names that rows and columns may have. Names that are not used have no rules. */
export function tableParts(
  catalogue: Catalogue,
  axisNames: readonly string[],
  isUsed: (name: string) => boolean,
): Record<string, JsonSchema> {
  const tasks = tasksOf(catalogue).map(({ task }) => task);
  const ids = [...new Set(tasks.flatMap(({ tables }) => tables))].sort((a, b) => a - b);
  const metrics = [...new Set(tasks.flatMap(({ measures }) => Object.keys(measures)))];
  const labels = tasks.flatMap(({ measures }) => Object.values(measures).flat());
  const names = [...new Set([...labels, ...axisNames])];
  const [paperKeys, pivotKeys] = [ofPaper(ids), pivot(metrics, whereSchema(names, isUsed))];
  return {
    table_axis: { type: 'string', enum: names },
    table: {
      if: { type: 'object' },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: {
        type: 'object',
        additionalProperties: false,
        properties: { ...paperKeys, ...pivotKeys },
        if: { required: ['table'] },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
        then: { propertyNames: { enum: Object.keys(paperKeys) } },
        else: { required: ['metric', 'rows'], propertyNames: { enum: Object.keys(pivotKeys) } },
      },
      else: { type: 'integer', enum: ids },
    },
  };
}

const whereSchema = (names: readonly string[], isUsed: (name: string) => boolean): JsonSchema => ({
  description: 'Only results with these values of axes, settings or labels: one value, or a list of them.',
  type: 'object',
  additionalProperties: false,
  properties: Object.fromEntries(
    names.map((name) => [
      name,
      isUsed(name) ? { anyOf: [value, { type: 'array', minItems: 1, items: value }] } : {},
    ]),
  ),
});

const mapping = (properties: Record<string, JsonSchema>, required: readonly string[]): JsonSchema => ({
  type: 'object',
  additionalProperties: false,
  properties,
  required,
});

/** The same for TypeScript types, in which names are plain text. */
export const looseTableParts: Record<string, JsonSchema> = {
  table_axis: { type: 'string' },
  table: {
    oneOf: [
      { type: 'integer' },
      mapping(ofPaper(undefined), ['table']),
      mapping(
        pivot(undefined, {
          type: 'object',
          additionalProperties: { anyOf: [value, { type: 'array', items: value }] },
        }),
        ['metric', 'rows'],
      ),
    ],
  },
};
