/** Whether a job made progress before its time was up. */
import { afterAll, expect, test } from 'bun:test';
import { mkdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesIn, hasProgress } from '../../src/runner/launchers/slurm/checkpoints.ts';
import { Fixture, removeFixtures } from '../runner/fixture.ts';

afterAll(removeFixtures);

test('only a file that is new or changed is progress, whatever the clock of the file server says', () => {
  const partial = join(new Fixture().root, 'key.partial');
  expect(filesIn(partial)).toEqual(new Map());
  mkdirSync(join(partial, 'work-1', 'models'), { recursive: true });
  const progress = (before: ReturnType<typeof filesIn>) => hasProgress(before, filesIn(partial));
  const write = (path: string, text: string, day: number) => {
    writeFileSync(join(partial, path), text);
    utimesSync(join(partial, path), day * 86_400, day * 86_400);
  };
  expect(progress(new Map())).toBe(false);
  write('work-1/state.json', 'epoch 1', 1);
  expect(progress(new Map())).toBe(true);

  const begun = filesIn(partial);
  renameSync(join(partial, 'work-1'), join(partial, 'work-2'));
  mkdirSync(join(partial, 'work-2', 'more'));
  write('work-2/models/a.safetensors.1-2-3.tmp', 'half', 3);
  expect(progress(begun)).toBe(false);
  write('work-2/state.json', 'epoch 2', 2);
  expect(progress(begun)).toBe(true);
  const resumed = filesIn(partial);
  write('work-2/models/a.safetensors', 'weights', 1);
  expect(progress(resumed)).toBe(true);
});
