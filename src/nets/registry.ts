import type { Architecture } from './architecture.ts';
import { cnnLarge } from './cnn-large.ts';
import { cnnSmall } from './cnn-small.ts';

/** Every architecture by name. A new one is one file and one line here. */
export const architectures: Record<string, Architecture> = {
  [cnnSmall.name]: cnnSmall,
  [cnnLarge.name]: cnnLarge,
};

/** The architecture of this name. Throws if there is none. */
export function getArchitecture(name: string): Architecture {
  const found = architectures[name];
  if (found) return found;
  throw new Error(`no architecture ${name}; there are ${Object.keys(architectures).join(', ')}`);
}
