import type { Architecture, ArchitectureDefinition, ArchitectureOptions } from './architecture.ts';
import { cnnLarge } from './cnn-large.ts';
import { cnnSmall } from './cnn-small.ts';
import { densenet121 } from './densenet.ts';
import { miniAlexnet } from './mini-alexnet.ts';
import { resnets } from './resnet.ts';
import { vgg16 } from './vgg.ts';

/** Every architecture by name. A new one is one file and one line here. */
export const architectures: Record<string, ArchitectureDefinition> = Object.fromEntries(
  [cnnSmall, cnnLarge, ...resnets, miniAlexnet, vgg16, densenet121].map((definition) => [
    definition.name,
    definition,
  ]),
);

/**
 * The architecture of this name for these images, classes and width. Throws an error that says what to change if there is
 * none, or if it takes no such images or width.
 */
export function getArchitecture(name: string, options: ArchitectureOptions): Architecture {
  const found = architectures[name];
  if (found) return found.build(options);
  throw new Error(`no architecture ${name}; there are ${Object.keys(architectures).join(', ')}`);
}
