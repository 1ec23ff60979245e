import { readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../../src/base/random.ts';
import type { Campaign } from './campaign.ts';
import { flip, type Ground, type Place } from './ground.ts';

/** What reads which, the first first. */
const order = ['dataset', 'zoo', 'alignment', 'baseline-probes', 'sane', 'property-prediction'];

const places = new WeakMap<Ground, Place>();

/** The store that is damaged again and again. With the sabotaged program each trial has one of its own. */
async function prepare(ground: Ground, control: boolean): Promise<Place> {
  const known = control ? undefined : places.get(ground);
  if (known) return known;
  const place = ground.place();
  const problems = await ground.finish(place);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  places.set(ground, place);
  return place;
}

function damage(path: string, random: Random): string {
  const { size } = statSync(path);
  switch (random.integer(5)) {
    case 0:
      writeFileSync(path, new Uint8Array(size));
      return 'zeros';
    case 1:
      truncateSync(path, random.integer(size));
      return 'cut short';
    case 2:
      rmSync(path);
      return 'removed';
    default:
      flip(path, random.integer(size), random.integer(8));
      return 'a bit';
  }
}

export const corrupt: Campaign = {
  name: 'corrupt',
  description:
    'a changed, cut or missing file of an artefact, of which later stages are to be made again; one run heals it',

  sabotage(ground) {
    ground.sabotage('runner/verify.ts', 'if (expected !== undefined && sha256 !== expected)', 'if (false)');
  },

  async trial(ground, random, control) {
    const place = await prepare(ground, control);
    if (control) {
      // What only verification notices: a bit of an image, which all later stages are made from.
      const dataset = join(place.store, 'dataset');
      const key = readdirSync(dataset).find((name) => !name.includes('.')) as string;
      const images = join(dataset, key, 'images.safetensors');
      flip(images, statSync(images).size - 60, 7);
      for (const later of order.slice(1)) rmSync(join(place.store, later), { recursive: true });
      return ground.finish(place);
    }
    const stage = random.integer(order.length);
    const folder = join(place.store, order[stage] as string);
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => /^[0-9a-f]+\/.*\.\w+$/.test(name) && !name.includes('.damaged'))
      .sort();
    const name = files[random.integer(files.length)] as string;
    const file = join(folder, name);
    const kind = damage(file, random);
    for (const later of order.slice(stage + 1)) rmSync(join(place.store, later), { recursive: true });
    const what = `${order[stage]}/${name}, ${kind}`;
    const problems: string[] = [];
    if (stage === order.length - 1) {
      const { code, err } = await ground.run({ ...place, out: ground.place().out }, ['table']);
      if (code !== 1 || !err.includes('damaged'))
        problems.push(`exp table used it (${code}): ${err.slice(-300)}`);
    }
    return [...problems, ...(await ground.finish(place))].map((problem) => `${what}: ${problem}`);
  },
};
