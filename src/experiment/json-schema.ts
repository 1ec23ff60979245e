/** The JSON Schema of the experiment file, made of a catalogue: it has every name and every dotted setting that may be written. */
import { type Catalogue, tasksOf } from './catalogue.ts';
import { launcherSchema, resourcesSchema } from './launcher-schema.ts';
import { looseTableParts, tableParts } from './tables-schema.ts';

/** A JSON Schema (draft 7) or a part of one. */
export interface JsonSchema {
  [keyword: string]: unknown;
}

/** Axes that are no settings. */
export const plainAxes = ['architecture', 'dataset', 'task', 'seed'] as const;

const ref = (...path: string[]): JsonSchema => ({ $ref: `#/$defs/${path.join('/')}` });
const names = (description: string, known: readonly string[]): JsonSchema => ({
  description,
  type: 'string',
  enum: known,
});

/** A mapping that takes these keys only. */
const mapping = (properties: Record<string, JsonSchema>): JsonSchema => ({
  type: 'object',
  additionalProperties: false,
  properties,
});

/** A list with these items. */
const list = (items: JsonSchema): JsonSchema => ({ type: 'array', minItems: 1, items });

/** What an experiment says of a folder of images, which may stand for one of the known data sets. */
const imageFolder = (datasets: readonly string[]): Record<string, JsonSchema> => ({
  folder: { description: 'Its path, from the folder of the experiment on.', type: 'string', minLength: 1 },
  test_share: {
    description:
      "Share of each class's images that are test images, chosen by a fixed seed, where there are no folders train and test. Default 0.2.",
    type: 'number',
    exclusiveMinimum: 0,
    exclusiveMaximum: 1,
  },
  resize: {
    description:
      'Side in pixels that images of different sizes are resized to: their shorter sides by PIL’s bilinear filter, the middle of the longer. Default: all have one size.',
    type: 'integer',
    minimum: 1,
    maximum: 1024,
  },
  stands_for: {
    description:
      "The data set that it is a copy or a variant of: its recipes are that data set's, but for what is done to the images, and tables show it, by its own name, beside the paper's numbers for that. Default: none.",
    type: 'string',
    enum: datasets,
  },
});

/** What an axis or a setting holds, and what it is. */
interface Entry {
  description: string;
  schema: JsonSchema;
}

/**
 * One value of an entry. Where its schema were a plain `$ref`, an editor would see the defaults behind it, and write them all into the
 * file where it completes the key of what they are in.
 */
const inside = ({ description, schema }: Entry): JsonSchema => ({ description, allOf: [schema] });

/** Every setting by its dotted name. */
function settingEntries({ stages }: Catalogue): Record<string, Entry> {
  const blocks = Object.values(stages).flatMap(({ settings }) => settings ?? []);
  return Object.fromEntries(
    blocks.flatMap(({ block, schema }) =>
      Object.entries(schema.properties).map(([name, { description }]) => [
        `${block}.${name}`,
        { description, schema: ref(block, 'properties', name) },
      ]),
    ),
  );
}

const plainEntries: Record<(typeof plainAxes)[number], Entry> = {
  architecture: { description: 'Network architecture of the zoo.', schema: ref('architecture') },
  dataset: { description: 'Image data set of the zoo.', schema: ref('dataset') },
  task: { description: 'What a run does.', schema: ref('task') },
  seed: {
    description:
      'Seed of the run. Everything random in a run except its zoo derives from it (the zoo has a seed of its own, zoo.seed).',
    // Not a `$ref`: behind one ajv does not see that these are numbers, and compares each item of a list with all others.
    schema: { type: 'integer', minimum: 0 },
  },
};

/** The parts of the schema in which axes and settings are named by dotted paths. */
function dottedParts(catalogue: Catalogue, isUsed: (name: string) => boolean): Record<string, JsonSchema> {
  const settings = settingEntries(catalogue);
  const axes = { ...plainEntries, ...settings };
  const properties = (entries: Record<string, Entry>, of: (entry: Entry) => JsonSchema) =>
    Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, isUsed(name) ? of(entry) : {}]));
  const some = (of: JsonSchema) => ({ ...of, minProperties: 1 });
  const values = ({ description, schema }: Entry) => ({ description, ...list(schema) });
  return {
    grid: some(mapping(properties(axes, (entry) => ({ ...values(entry), uniqueItems: true })))),
    zip: some(mapping(properties(axes, values))),
    assignment: some(mapping(properties(axes, inside))),
    matcher: some(
      mapping(
        properties(axes, ({ description, schema }) => ({
          description: `One value or a list of them. ${description}`,
          anyOf: [schema, list(schema)],
        })),
      ),
    ),
    changes: some(mapping(properties(settings, inside))),
  };
}

/** The same, for TypeScript types, which do not gain from every dotted name. */
export const looseParts: Record<string, JsonSchema> = {
  ...looseTableParts,
  ...Object.fromEntries(
    ['grid', 'zip', 'assignment', 'matcher', 'changes'].map((name) => [
      name,
      { type: 'object', additionalProperties: name === 'grid' || name === 'zip' ? { type: 'array' } : {} },
    ]),
  ),
};

/**
 * The schema that editors and this program check a file by. Where only some axes and settings are named by dotted paths, the rules of
 * the others can be left out, which makes it five times as fast to compile.
 */
export function experimentSchema(
  catalogue: Catalogue,
  isUsed: (name: string) => boolean = () => true,
): JsonSchema {
  const { stages, architectures, datasets, devices, recipes } = catalogue;
  const tasks = tasksOf(catalogue);
  const blocks = Object.values(stages).flatMap(({ settings }) => settings ?? []);
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: 'experiment.schema.json',
    title: 'Experiment',
    description:
      "One experiment: a grid of runs and the tables made of them. Settings that the file does not give come from the paper's recipe for the run's architecture and data set (src/stages/recipes.json), then from the defaults below.",
    ...mapping({
      name: {
        description: 'Names the folder under results/ that the tables go to.',
        type: 'string',
        pattern: '^[a-z0-9]+(-[a-z0-9]+)*$',
        maxLength: 64,
      },
      description: { description: 'What this experiment is for, in a sentence or two.', type: 'string' },
      device: ref('device'),
      architectures: {
        description:
          'Architectures of the experiment itself, by name: their layers, or the path of a YAML file that has them, as schemas/architecture.schema.json describes.',
        type: 'object',
        propertyNames: { pattern: '^[a-z0-9]+([-_][a-z0-9]+)*$', maxLength: 64 },
        additionalProperties: { type: ['string', 'object'] },
      },
      datasets: {
        description:
          'Data sets of the experiment itself, by name: folders with a folder of PNG or JPEG files for each class, or with folders train and test (and val, for validation images) that have these.',
        type: 'object',
        propertyNames: { pattern: '^[a-z0-9]+([-_][a-z0-9]+)*$', maxLength: 64 },
        additionalProperties: {
          ...mapping(imageFolder([...new Set(recipes.map(({ dataset }) => dataset))])),
          required: ['folder'],
        },
      },
      grid: {
        description: 'The axes. Every combination of their values is one run.',
        ...ref('grid'),
      },
      zip: {
        description:
          'Axes that advance together: all lists of one entry have the same length, and the entry multiplies the grid once; a value may be in a list more than once.',
        type: 'array',
        items: ref('zip'),
      },
      include: {
        description:
          'Runs added to the grid, each a full assignment of the axes that differ from a grid of one value.',
        type: 'array',
        items: ref('assignment'),
      },
      exclude: {
        description:
          'Runs taken out: those that match every axis named in one entry (a list matches any of its values).',
        type: 'array',
        items: ref('matcher'),
      },
      overrides: {
        description:
          'Settings for some runs only. Later entries win over earlier ones, and axes win over all of them.',
        type: 'array',
        items: {
          ...mapping({
            when: {
              description: 'Which runs: those that match every axis named here.',
              ...ref('matcher'),
            },
            set: { description: 'Dotted settings and their values for these runs.', ...ref('changes') },
          }),
          required: ['when', 'set'],
        },
      },
      ...Object.fromEntries(
        blocks.map(({ block, schema: { description } }) => [
          block,
          inside({ description, schema: ref(block) }),
        ]),
      ),
      launcher: launcherSchema(catalogue),
      tables: {
        description:
          "Tables to write: numbers of the paper's, or mappings. `table`, `layout` and `all` choose how one of the paper's is shown; `metric`, `rows`, `columns` and `where` make one of anything. Default: every table of the paper that the experiment's tasks can fill. Settings that vary and have no place in them get one of their own in any case.",
        ...list(ref('table')),
        uniqueItems: true,
      },
    }),
    required: ['name', 'grid'],
    patternProperties: {
      '^x-': {
        description: 'Anything, for `&anchors` that other parts merge by `<<: *anchor`. Not read itself.',
      },
    },
    $defs: {
      architecture: names("Network architecture of the zoo's models.", Object.keys(architectures)),
      dataset: names("Image data set that the zoo's models are trained on.", Object.keys(datasets)),
      task: names(
        'What a run does with the zoo and its SANE.',
        tasks.map(({ name }) => name),
      ),
      device: {
        ...names(
          'Where tensors are computed. auto: a GPU if one starts here, else the fastest CPU device. gpu: the best GPU that starts here. A device asked for by name that cannot start is an error. Never enters a content key.',
          devices,
        ),
        default: 'auto',
      },
      resources: resourcesSchema,
      epochs: { ...list({ type: 'integer', minimum: 0 }), uniqueItems: true },
      ...Object.fromEntries(
        blocks.map(({ block, schema: { description, properties } }) => [
          block,
          { description, ...mapping(properties as Record<string, JsonSchema & Entry>) },
        ]),
      ),
      ...tableParts(catalogue, [...plainAxes, ...Object.keys(settingEntries(catalogue))], isUsed),
      ...dottedParts(catalogue, isUsed),
    },
  };
}

/** The parts of a file that have values of an axis, which are as `one` says. */
function axisParts(axis: string, one: JsonSchema): Record<string, JsonSchema> {
  const part = (properties: Record<string, JsonSchema>) => ({ type: 'object', properties });
  const each = (items: JsonSchema) => ({ type: 'array', items });
  const among = (value: JsonSchema) => part({ [axis]: value });
  const matcher = among({ anyOf: [one, each(one)] });
  return {
    grid: among(each(one)),
    zip: each(among(each(one))),
    include: each(among(one)),
    exclude: each(matcher),
    overrides: each(part({ when: matcher })),
  };
}

/**
 * The schema as editors have it, which cannot know the names of the blocks `architectures` and `datasets`: with such a block any name will do,
 * without one those of the axes are the program's.
 */
export function editorSchema(catalogue: Catalogue): JsonSchema {
  const schema = experimentSchema(catalogue);
  const $defs = { ...(schema.$defs as Record<string, JsonSchema>) };
  const allOf = ['architecture', 'dataset'].map((axis) => {
    const { enum: known, description } = $defs[axis] as JsonSchema;
    $defs[axis] = { description, anyOf: [{ enum: known }, { type: 'string' }] };
    return {
      if: { not: { required: [`${axis}s`] } },
      // biome-ignore lint/suspicious/noThenProperty: JSON Schema's own keyword.
      then: { properties: axisParts(axis, { enum: known }) },
    };
  });
  return { ...schema, allOf, $defs };
}
