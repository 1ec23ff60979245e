/** The block `launcher` of an experiment file: what jobs ask a cluster for. It enters no content key. */
import type { Catalogue } from './catalogue.ts';
import type { JsonSchema } from './json-schema.ts';

/** What one job asks for; each may differ by kind of stage. */
const resources: Record<string, JsonSchema> = {
  partition: {
    description: 'Partition, or a list of those that any will do of. Default: the cluster’s own.',
    anyOf: [
      { type: 'string', minLength: 1 },
      { type: 'array', minItems: 1, uniqueItems: true, items: { type: 'string', minLength: 1 } },
    ],
  },
  account: { description: 'Account that is charged. Default: your own.', type: 'string', minLength: 1 },
  time: {
    description:
      'Time limit as Slurm writes it: minutes, hours:minutes:seconds or days-hours. A job that reaches it resumes in a new one. Default: three times the estimate and five minutes.',
    anyOf: [
      { type: 'integer', minimum: 1 },
      { type: 'string', pattern: '^(\\d+-\\d{1,2}(:\\d{2}){0,2}|\\d+(:\\d{2}){1,2})$' },
    ],
  },
  memory: {
    description: 'Memory of a job, e.g. 16G. Default: the partition’s.',
    type: 'string',
    pattern: '^[1-9]\\d*[KMGT]?$',
  },
  cpus: {
    description: 'Processor cores of a job. Default 4, or as many as each of the partitions has on a node.',
    type: 'integer',
    minimum: 1,
  },
  gpus: {
    description: 'GPUs of a job; stages that compute no tensors get none. Default 0.',
    type: 'integer',
    minimum: 0,
  },
};

/** The schema of the block; `stages` are named by the catalogue. */
export function launcherSchema({ stages }: Catalogue): JsonSchema {
  const mapping = (properties: Record<string, JsonSchema>): JsonSchema => ({
    ...{ type: 'object', additionalProperties: false, properties },
  });
  const ofStages = Object.values(stages).map(({ name, description }) => [
    name,
    { description, allOf: [{ $ref: '#/$defs/resources' }] },
  ]);
  return {
    description:
      'What jobs ask a cluster for, where the experiment is run with `--launcher slurm`. Enters no content key.',
    ...mapping({
      ...resources,
      at_once: {
        description: 'How many jobs of an array run at once. Default: as many as the cluster has room for.',
        type: 'integer',
        minimum: 1,
      },
      pack_minutes: {
        description:
          'Stages that are expected to take less together share a job. 0: every stage has a job of its own. Default 10.',
        type: 'number',
        minimum: 0,
      },
      setup: {
        description: 'Lines of shell that every job runs first, e.g. `module load cuda`.',
        type: 'array',
        items: { type: 'string' },
      },
      stages: {
        description: 'What jobs of these kinds of stages ask for instead.',
        ...mapping(Object.fromEntries(ofStages)),
      },
    }),
  };
}

export const resourcesSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: resources,
};
