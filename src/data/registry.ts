import { cifar10, cifar100 } from './cifar.ts';
import type { Dataset } from './dataset.ts';
import { glyphs } from './glyphs.ts';
import { fashionMnist, mnist } from './mnist.ts';
import { stl10 } from './stl10.ts';
import { svhn } from './svhn.ts';
import { tinyImagenet } from './tiny-imagenet.ts';
import { usps } from './usps.ts';

/** Every data set by name. A new one is one file and one line here. */
export const datasets: Record<string, Dataset> = {
  [glyphs.name]: glyphs,
  [mnist.name]: mnist,
  [fashionMnist.name]: fashionMnist,
  [svhn.name]: svhn,
  [cifar10.name]: cifar10,
  [cifar100.name]: cifar100,
  [stl10.name]: stl10,
  [tinyImagenet.name]: tinyImagenet,
  [usps.name]: usps,
};

/** The data set of this name. Throws if there is none. */
export function getDataset(name: string): Dataset {
  const found = datasets[name];
  if (found) return found;
  throw new Error(`no data set ${name}; there are ${Object.keys(datasets).join(', ')}`);
}
