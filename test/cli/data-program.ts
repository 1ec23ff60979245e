/** The program with one more data set: CIFAR-10's format, with the file and mirror that the environment names. */

import { main } from '../../src/commands/main.ts';
import { cifar10, cifar10Layout, readCifar } from '../../src/data/cifar.ts';
import { findFile, type Publication } from '../../src/data/files.ts';
import { datasets } from '../../src/data/registry.ts';

const { md5, mirror, bytes, counts } = JSON.parse(process.env.EXP_TEST_DATASET as string);
const file = { name: 'thing.tar.gz', md5s: [md5], bytes } as const satisfies Publication['files'][number];
const publication: Publication = {
  ...{ dataset: 'thing', files: [file], installed: [], mirrors: [mirror], remedy: 'ask someone' },
};
datasets.thing = {
  ...cifar10,
  ...{ name: 'thing', description: 'a thing', counts, publication },
  load: async (source) => readCifar(await findFile(publication, file, source), cifar10Layout),
};
process.exitCode = await main(process.argv.slice(2), 'no stages');
