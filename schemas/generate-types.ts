/**
 * Writes src/experiment/schema.gen.ts from experiment.schema.json, the single source of the file format.
 * `bun run types` after every change of the schema; a test fails while the two differ.
 */
import { compileFromFile } from 'json-schema-to-typescript';

export const generatedTypesPath = new URL('../src/experiment/schema.gen.ts', import.meta.url).pathname;

/** The TypeScript text that belongs to the schema as it is on disk. */
export function generateTypes(): Promise<string> {
  return compileFromFile(new URL('experiment.schema.json', import.meta.url).pathname, {
    bannerComment: '/* Made from schemas/experiment.schema.json by `bun run types`. Do not edit. */',
    additionalProperties: false,
    unreachableDefinitions: true,
  });
}

if (import.meta.main) await Bun.write(generatedTypesPath, await generateTypes());
