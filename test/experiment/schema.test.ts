import { describe, expect, test } from 'bun:test';
import schema from '../../schemas/experiment.schema.json' with { type: 'json' };
import { schemaPath, schemaText, typesPath, typesText } from '../../schemas/generate.ts';
import { tasksOf } from '../../src/experiment/catalogue.ts';
import { formatOf } from '../../src/experiment/schema.ts';
import { settingOf } from '../../src/experiment/settings.ts';
import { tableDefinitions } from '../../src/report/tables/registry.ts';
import { catalogue, defaults } from '../../src/stages/catalogue.ts';

const { settingNames, validateSetting } = formatOf(catalogue);

interface Property {
  description?: string;
  type?: unknown;
  default?: unknown;
  $ref?: string;
  allOf?: Property[];
  anyOf?: Property[];
  oneOf?: Property[];
  properties?: Record<string, Property>;
}

const definitions = schema.$defs as unknown as Record<string, Property>;

/** What a property is with what it refers to. */
function whole(property: Property): Property {
  if (property.allOf) return { ...whole(property.allOf[0] as Property), ...property };
  if (!property.$ref) return property;
  const found = property.$ref
    .replace('#/$defs/', '')
    .split('/')
    .reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], definitions);
  return { ...whole(found as Property), ...property };
}

describe('the committed schema and types', () => {
  test('are those of the registries: `bun run schema` writes them', async () => {
    expect(await Bun.file(schemaPath).text()).toBe(schemaText());
    expect(await Bun.file(typesPath).text()).toBe(await typesText());
  });

  test('name every table that can be written', () => {
    expect(schema.$defs.table.else.enum).toEqual(tableDefinitions.map(({ id }) => id));
  });

  test('describe every property, and its default with the reason', () => {
    const missing: string[] = [];
    const visit = (path: string, object: Property) => {
      for (const [name, property] of Object.entries(object.properties ?? {})) {
        const { description } = whole(property);
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

  test('have every dotted setting where one may be written, with its description and type', () => {
    for (const part of ['grid', 'zip', 'assignment', 'matcher', 'changes']) {
      const properties = definitions[part]?.properties ?? {};
      for (const name of settingNames) {
        const { description, type, anyOf, oneOf } = whole(properties[name] ?? {});
        expect({ part, name, isDescribed: description!.length > 0 }).toMatchObject({ isDescribed: true });
        const types = type ?? (anyOf ?? oneOf ?? []).map((one) => whole(one).type ?? whole(one).oneOf);
        expect({ part, name, types: [types].flat(2).length }).not.toMatchObject({ types: 0 });
      }
    }
  });
});

test('defaults and recipes keep to the rules of the settings, and name what there is', () => {
  for (const name of settingNames) {
    const value = settingOf(defaults, name);
    expect(value === undefined ? `${name} has no default` : name).toBe(name);
    expect({ name, errors: validateSetting(name, value) }).toEqual({ name, errors: [] });
  }
  for (const { architecture, dataset, set, images = {}, tasks = {} } of catalogue.recipes) {
    expect(Object.keys(catalogue.architectures)).toContain(architecture);
    expect(Object.keys(catalogue.datasets)).toContain(dataset);
    for (const name of Object.keys(tasks))
      expect(tasksOf(catalogue).map((task) => task.name)).toContain(name);
    const ofTasks = Object.values(tasks).flatMap((values) => Object.entries(values));
    for (const [name, value] of [...Object.entries({ ...set, ...images }), ...ofTasks]) {
      expect(settingNames).toContain(name);
      expect(validateSetting(name, value)).toEqual([]);
    }
    for (const name of Object.keys(images)) expect(name).toStartWith('data.');
  }
});

test('lists of stages name settings that there are', () => {
  for (const { settings, task } of Object.values(catalogue.stages)) {
    const names = [...(settings?.immaterial ?? []), ...Object.keys(settings?.nullMeans ?? {})];
    for (const name of names) expect(settingNames).toContain(`${settings?.block}.${name}`);
    const { blocks } = formatOf(catalogue);
    for (const name of [...(task?.dependsOn(defaults) ?? []), ...Object.keys(task?.paper ?? {})])
      expect([...settingNames, ...blocks]).toContain(name);
  }
});
