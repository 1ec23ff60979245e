/** What of a written architecture is not as schemas/architecture.schema.json wants it. Apart from the rest, so that workers do not load ajv. */
import { Ajv, type ErrorObject } from 'ajv';
import schema from '../../schemas/architecture.schema.json' with { type: 'json' };

const ajv = new Ajv({ allErrors: true, allowUnionTypes: true, verbose: true, discriminator: true });

/** What of a value is not as the schema wants it; none: it is a WrittenArchitecture. */
export function schemaErrors(value: unknown): ErrorObject[] {
  // Ajv keeps what it has compiled.
  const validate = ajv.compile(schema);
  return validate(value) ? [] : [...(validate.errors ?? [])];
}
