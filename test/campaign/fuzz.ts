import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../../src/base/random.ts';
import type { Campaign } from './campaign.ts';
import { readApart } from './hostile.ts';
import { read } from './read.ts';

const golden = join(import.meta.dir, '../zoo/formats/golden');
const experiments = join(import.meta.dir, '../../experiments');

/** Files that are read, by whose bytes others are made. */
const originals = [
  ...readdirSync(golden)
    .filter((name) => name.endsWith('.pt'))
    .map((name) => join(golden, name)),
  ...readdirSync(experiments)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => join(experiments, name)),
].sort();

/** One to four changes: a bit, a byte, a piece copied to another place or removed, the end cut off. */
function mutate(original: Uint8Array, random: Random): Uint8Array {
  let bytes = Uint8Array.from(original);
  for (let n = 1 + random.integer(4); n > 0 && bytes.length > 1; n--) {
    const at = random.integer(bytes.length);
    const length = random.integer(64);
    switch (random.integer(5)) {
      case 0:
        bytes[at] = (bytes[at] as number) ^ (1 << random.integer(8));
        break;
      case 1:
        bytes[at] = random.integer(256);
        break;
      case 2:
        bytes.copyWithin(random.integer(bytes.length), at, at + length);
        break;
      case 3:
        bytes = Uint8Array.from([...bytes.slice(0, at), ...bytes.slice(at + length)]);
        break;
      default:
        if (random.integer(4) === 0) bytes = bytes.slice(0, at);
    }
  }
  return bytes;
}

export const fuzz: Campaign = {
  name: 'fuzz',
  description:
    'experiments and checkpoints with changes at random; each is read, or refused by a message of its own',
  needsRun: false,

  async trial(ground, random, control) {
    const original = originals[random.integer(originals.length)] as string;
    const path = join(ground.root, original.endsWith('.yaml') ? 'mutated.yaml' : 'mutated.pt');
    await Bun.write(path, mutate(readFileSync(original), random));
    if (control) return readApart(path, true);
    try {
      await read(path);
      return [];
    } catch (error) {
      return [`${original}: ${(error as Error).stack}`];
    }
  },
};
