import type { Dataset } from './dataset.ts';
import { glyphs } from './glyphs.ts';
import { fashionMnist, mnist } from './mnist.ts';

/** Every data set by name. A new one is one file and one line here. */
export const datasets: Record<string, Dataset> = {
  [glyphs.name]: glyphs,
  [mnist.name]: mnist,
  [fashionMnist.name]: fashionMnist,
};

/** The data set of this name. Throws if there is none. */
export function getDataset(name: string): Dataset {
  const found = datasets[name];
  if (found) return found;
  throw new Error(`no data set ${name}; there are ${Object.keys(datasets).join(', ')}`);
}
