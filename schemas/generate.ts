/**
 * Writes schemas/experiment.schema.json, which editors read, and the TypeScript types of the file format. Both are made of what the
 * registries have: `bun run schema` after every change of a stage's settings or of a registry; a test fails while they differ.
 */
import { compile, type JSONSchema } from 'json-schema-to-typescript';
import {
  editorSchema,
  experimentSchema,
  type JsonSchema,
  looseParts,
} from '../src/experiment/json-schema.ts';
import { formatOf } from '../src/experiment/schema.ts';
import { catalogue } from '../src/stages/catalogue.ts';

export const schemaPath = new URL('experiment.schema.json', import.meta.url).pathname;
export const typesPath = new URL('../src/experiment/schema.gen.ts', import.meta.url).pathname;

export const schemaText = (): string => `${JSON.stringify(editorSchema(catalogue), null, 2)}\n`;

/** The types. Names of architectures and the like are plain text in them: which there are, the catalogue says. */
export async function typesText(): Promise<string> {
  const schema = experimentSchema(catalogue);
  const $defs = schema.$defs as Record<string, JsonSchema>;
  const named = ['architecture', 'dataset', 'task', 'device'].map((name) => {
    const { enum: _, ...open } = $defs[name] as JsonSchema;
    return [name, open] as const;
  });
  // Blocks that are only there to be merged into others are not read.
  const { patternProperties: _, ...read } = schema;
  const loose = { ...read, $defs: { ...$defs, ...looseParts, ...Object.fromEntries(named) } };
  const types = await compile(loose as JSONSchema, 'Experiment', {
    bannerComment: '/* Made from the registries by `bun run schema`. Do not edit. */',
    additionalProperties: false,
    unreachableDefinitions: true,
  });
  const blocks = formatOf(catalogue).blocks.map((block) => {
    const name = block.replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase());
    return `  ${block}: Required<${name}>;\n`;
  });
  return `${types}/** Every setting of a run, nothing left open. */\nexport interface Settings {\n${blocks.join('')}}\n`;
}

if (import.meta.main) {
  await Bun.write(schemaPath, schemaText());
  await Bun.write(typesPath, await typesText());
}
