import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadExperiment } from '../../src/experiment/load.ts';
import { formatProblems } from '../../src/experiment/problems.ts';
import { catalogue } from '../../src/stages/catalogue.ts';
import { valid } from './files.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'load-'));
  await mkdir(join(dir, 'folder'));
  await Bun.write(join(dir, 'quickstart.yaml'), valid);
  await Bun.write(join(dir, 'empty.yaml'), '');
  await Bun.write(join(dir, 'binary.yaml'), Uint8Array.of(1, 0, 2));
  await Bun.write(join(dir, 'latin1.yaml'), Uint8Array.of(0x6e, 0xe4, 0x0a));
  await Bun.write(join(dir, 'large.yaml'), '#'.repeat(1_000_001));
});
afterAll(() => rm(dir, { recursive: true }));

test.each([
  ['quickstrat.yaml', 'there is no such file', 'did you mean DIR/quickstart.yaml?'],
  ['quickstart', 'there is no such file', 'did you mean DIR/quickstart.yaml?'],
  ['nothing/like/it.yaml', 'there is no such file', ''],
  ['folder', 'is a folder', 'name a YAML file'],
  ['.', 'is a folder', 'it holds '],
  ['empty.yaml', 'the file is empty', 'experiments/quickstart.yaml is an example'],
  ['binary.yaml', 'a binary file', 'expected YAML text'],
  ['latin1.yaml', 'not UTF-8 text', 'save it as UTF-8'],
  ['large.yaml', '1000001 bytes are too many for an experiment', 'is it another file?'],
])('%s: %s', async (name, message, hint) => {
  const error = await loadExperiment(join(dir, name), catalogue).then(
    () => expect.unreachable(),
    (e) => e,
  );
  const text = formatProblems(error, { color: false });
  expect(text).toContain(`${join(dir, name)} error ${message}`);
  expect(text).toContain(hint.replace('DIR', dir));
});

test('a good file is loaded', async () => {
  expect((await loadExperiment(join(dir, 'quickstart.yaml'), catalogue)).experiment.name).toBe('test');
});
