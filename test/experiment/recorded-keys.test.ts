/** Keys of every plan in experiments/ are recorded: what moves code must not move them, or finished work would be computed again. */
import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { includedFiles as files, planIncluded } from './included.ts';
import recorded from './recorded-keys.json' with { type: 'json' };

/** Of every stage in its plan: stage, version and key, in one order. */
async function keysOf(file: string): Promise<string[]> {
  const { stages } = await planIncluded(file);
  return stages.map(({ stage, version, key }) => `${stage} v${version} ${key}`).sort();
}

/** Short enough to commit: the keys of one stage of one version as one hash, with their number. */
function digest(keys: readonly string[]): Record<string, string> {
  const groups = Map.groupBy(keys, (key) => key.split(' ').slice(0, 2).join(' '));
  return Object.fromEntries(
    [...groups].map(([stage, all]) => {
      const hash = new Bun.CryptoHasher('sha256').update(all.join('\n')).digest('hex').slice(0, 16);
      return [stage, `${all.length} ${hash}`];
    }),
  );
}

test('every experiment has recorded keys', () => {
  expect(Object.keys(recorded).sort()).toEqual(files);
});

for (const file of files) {
  test(`the keys of ${file} are those recorded`, async () => {
    expect(digest(await keysOf(file))).toEqual(
      (recorded as Record<string, Record<string, string>>)[file] ?? {},
    );
  });
}

// After a change of a version, write the file by `RECORD_KEYS=1 bun test recorded-keys`, and say in the commit why the keys changed.
if (process.env.RECORD_KEYS) {
  const all = await Promise.all(files.map(async (file) => [file, digest(await keysOf(file))]));
  await Bun.write(
    join(import.meta.dir, 'recorded-keys.json'),
    `${JSON.stringify(Object.fromEntries(all), null, 2)}\n`,
  );
}
