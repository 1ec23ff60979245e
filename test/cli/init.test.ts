/** `exp init`: every template is an experiment. */
import { afterAll, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { templates } from '../../src/commands/init/templates.ts';
import { loadPlan } from '../../src/commands/option-values.ts';
import { Fixture, removeFixtures } from '../runner/fixture.ts';
import { inProcess } from './program.ts';

afterAll(removeFixtures);

const { root } = new Fixture();

test.each(Object.keys(templates))('%s is planned without a warning', async (template) => {
  mkdirSync(join(root, 'my-zoo'), { recursive: true });
  writeFileSync(join(root, 'my-zoo', 'a.pt'), '');
  const file = join(root, 'new', '..', `My ${template}.yaml`);
  expect(await inProcess('init', template, file)).toEqual({
    ...{ code: 0, err: '' },
    out: `${file} written. exp ${file} --dry-run shows what it would compute.\n`,
  });
  const [first] = readFileSync(file, 'utf8').split('\n');
  expect(existsSync(resolve(root, first?.split('$schema=')[1] as string))).toBe(true);
  const plan = await loadPlan({ positionals: [file], values: new Map() });
  expect(plan.warnings).toEqual([]);
  expect(plan.name).toBe(`my-${template}`);
  expect(plan.runs.length).toBeGreaterThan(1);
  const dry = await inProcess(file, '--dry-run');
  expect(dry).toMatchObject({ code: 0, err: '' });
  expect(existsSync(join(root, '.exp'))).toBe(false);
});

test('no file is overwritten', async () => {
  const file = join(root, 'mine.yaml');
  writeFileSync(file, 'mine');
  expect((await inProcess('init', 'sweep', file)).err).toBe(
    `exp: ${file} is there already\n  name another file\n`,
  );
  expect(readFileSync(file, 'utf8')).toBe('mine');
  expect((await inProcess('init', 'sweep', 'mine')).err).toBe(
    'exp: mine is no name of a YAML file\n  e.g. mine.yaml\n',
  );
  expect((await inProcess('init', 'sweeep')).err).toBe(
    'exp: unknown template: sweeep\n  did you mean sweep?\n',
  );
});
