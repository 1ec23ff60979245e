import { describe, expect, test } from 'bun:test';
import schema from '../../schemas/experiment.schema.json' with { type: 'json' };
import { generatedTypesPath, generateTypes } from '../../schemas/generate-types.ts';
import { datasets } from '../../src/data/registry.ts';
import { greyDatasets, ofOneWidth } from '../../src/experiment/check-run.ts';
import recipes from '../../src/experiment/recipes.json' with { type: 'json' };
import { settingNames, validateAxisValue } from '../../src/experiment/schema.ts';
import type { Architecture, Dataset } from '../../src/experiment/types.ts';
import { architectures } from '../../src/nets/registry.ts';
import { tableDefinitions } from '../../src/report/tables/registry.ts';
import { tasks } from '../../src/stages/tasks.ts';
import { deviceNames } from '../../src/tensor/devices/registry.ts';

const { $defs } = schema;

test('the generated types are those of the schema', async () => {
  expect(await Bun.file(generatedTypesPath).text()).toBe(await generateTypes());
});

describe('the schema', () => {
  test('has the names of the registries', () => {
    expect($defs.architecture.enum).toEqual(Object.keys(architectures));
    const withoutWidth = Object.values(architectures).filter(({ width }) => width === null);
    expect([...ofOneWidth]).toEqual(withoutWidth.map(({ name }) => name as Architecture));
    expect($defs.dataset.enum).toEqual(Object.keys(datasets));
    const grey = Object.values(datasets).filter(({ shape: [, , channels] }) => channels === 1);
    expect([...greyDatasets].sort()).toEqual(grey.map(({ name }) => name as Dataset).sort());
    expect($defs.task.enum).toEqual(Object.keys(tasks));
    expect($defs.device.enum).toEqual([...deviceNames]);
    expect(schema.properties.tables.items.enum).toEqual(tableDefinitions.map(({ id }) => id));
    const ofTasks = new Set(Object.values(tasks).flatMap((task) => task.tables));
    expect([...ofTasks].sort((a, b) => a - b)).toEqual(schema.properties.tables.items.enum);
  });

  test('describes every property, and its default with the reason', () => {
    interface Property {
      description?: string;
      default?: unknown;
      $ref?: string;
      properties?: Record<string, Property>;
    }
    const definitions = $defs as unknown as Record<string, Property>;
    const missing: string[] = [];
    const visit = (path: string, object: Property) => {
      for (const [name, property] of Object.entries(object.properties ?? {})) {
        const target = property.$ref ? definitions[property.$ref.replace('#/$defs/', '')] : undefined;
        const description = property.description ?? target?.description;
        if (!description) missing.push(`${path}.${name}`);
        else if ('default' in property && !/default/i.test(description))
          missing.push(`${path}.${name} (default)`);
        visit(`${path}.${name}`, property);
      }
    };
    visit('', schema as unknown as Property);
    for (const [name, definition] of Object.entries(definitions)) visit(name, definition);
    expect(missing).toEqual([]);
  });

  test('accepts its own defaults and the recipes', () => {
    for (const name of settingNames) {
      const [block, setting] = name.split('.') as ['zoo', 'models'];
      const property = $defs[block].properties[setting] as { default?: unknown };
      expect('default' in property ? name : `${name} has no default`).toBe(name);
      expect({ name, errors: validateAxisValue(name, property.default) }).toEqual({ name, errors: [] });
    }
    for (const { architecture, dataset, ...settings } of recipes.recipes) {
      expect(Object.keys(architectures)).toContain(architecture);
      expect(Object.keys(datasets)).toContain(dataset);
      const { set, images = {} } = settings as Record<'set' | 'images', Record<string, unknown>>;
      for (const [name, value] of Object.entries({ ...set, ...images })) {
        expect(settingNames).toContain(name);
        expect(validateAxisValue(name, value)).toEqual([]);
      }
      for (const name of Object.keys(images)) expect(name).toStartWith('data.');
    }
  });

  test('and the data sets agree on what stands for what', () => {
    const { comment: _, ...standIns } = recipes.stand_ins;
    const expected = Object.values(datasets).flatMap(({ name, standsFor }) =>
      standsFor.length > 0 ? [[name, [...standsFor]]] : [],
    );
    expect(standIns).toEqual(Object.fromEntries(expected));
  });
});
