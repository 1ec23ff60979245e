/** Whether a job made progress before its time was up. */
import { afterAll, expect, test } from 'bun:test';
import { mkdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeSafetensors } from '../../src/base/safetensors.ts';
import { filesIn, hasProgress } from '../../src/runner/launchers/slurm/checkpoints.ts';
import { writeTrainingState } from '../../src/zoo/state.ts';
import { Fixture, removeFixtures } from '../runner/fixture.ts';

afterAll(removeFixtures);

/** What the files in it say is compared with what they said. */
function begin() {
  const partial = join(new Fixture().root, 'key.partial');
  const none = filesIn(partial);
  const work = join(partial, 'work-1');
  mkdirSync(join(work, 'models'), { recursive: true });
  return { partial, none, work, progress: (before: typeof none) => hasProgress(before, filesIn(partial)) };
}

test('only a file that is new or says something else is progress, whatever the clock of the file server says', () => {
  const { partial, none, work, progress } = begin();
  expect(none).toEqual(new Map());
  expect(progress(none)).toBe(false);
  writeFileSync(join(work, 'state.json'), 'epoch 1');
  expect(progress(none)).toBe(true);

  const begun = filesIn(partial);
  renameSync(work, join(partial, 'work-2'));
  mkdirSync(join(partial, 'work-2', 'more'));
  writeFileSync(join(partial, 'work-2/models/a.safetensors.1-2-3.tmp'), 'half');
  expect(progress(begun)).toBe(false);
  writeFileSync(join(partial, 'work-2/state.json'), 'epoch 2');
  utimesSync(join(partial, 'work-2/state.json'), 0, 0);
  expect(progress(begun)).toBe(true);
  const resumed = filesIn(partial);
  writeFileSync(join(partial, 'work-2/models/a.safetensors'), 'weights');
  expect(progress(resumed)).toBe(true);
});

test('work that begins anew each time and writes the same files makes no progress, though they are written later', async () => {
  const { partial, work, progress } = begin();
  const write = async (models: number, day: number) => {
    for (let i = 0; i < models; i++) {
      const path = join(work, 'models', `${i}.safetensors`);
      await writeSafetensors(path, [{ name: 'w', shape: [2], data: Float32Array.of(i, 1) }]);
      utimesSync(path, day * 86_400, day * 86_400);
    }
  };
  await write(3, 1);
  const first = filesIn(partial);
  await write(3, 2);
  expect(progress(first)).toBe(false);
  await write(2, 3);
  expect(progress(first)).toBe(false);
  await write(4, 4);
  expect(progress(first)).toBe(true);
});

test('a state in training makes progress by its epoch alone, of a large model too', async () => {
  const { partial, work, progress } = begin();
  const write = (epoch: number) =>
    writeTrainingState(join(work, 'a.safetensors'), ['a'], {
      epoch,
      weights: new Map([['w', new Float32Array(50_000)]]),
      optimizer: { steps: 10 * epoch, averages: {} },
      kept: [],
    });
  await write(3);
  const before = filesIn(partial);
  await write(3);
  expect(progress(before)).toBe(false);
  await write(4);
  expect(progress(before)).toBe(true);
});
