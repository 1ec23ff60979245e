import type { Architecture, ArchitectureDefinition, ArchitectureOptions, Outline } from './architecture.ts';
import { cnnLarge } from './cnn-large.ts';
import { cnnSmall } from './cnn-small.ts';
import { densenet121 } from './densenet.ts';
import { outlineOf } from './derive.ts';
import { miniAlexnet } from './mini-alexnet.ts';
import { resnets } from './resnet.ts';
import { vggs } from './vgg.ts';
import { buildWritten } from './written.ts';

/** Every architecture by name. A new one is one file and one line here. */
export const architectures: Record<string, ArchitectureDefinition> = Object.fromEntries(
  [cnnSmall, cnnLarge, ...resnets, miniAlexnet, ...vggs, densenet121].map((definition) => [
    definition.name,
    definition,
  ]),
);

/** The name under which networks go of which only the tensors are known. */
export const opaque = 'tensors';

/**
 * The architecture of this name for these images, classes and width; `written` in the options, its own layers. Throws an error that says
 * what to change if there is none, or if it takes no such images or width.
 */
export function getArchitecture(name: string, options: ArchitectureOptions): Architecture {
  if (options.written) return buildWritten(name, options.written, options);
  const found = architectures[name];
  if (found) return found.build(options);
  throw new Error(`no architecture ${name}; there are ${Object.keys(architectures).join(', ')}`);
}

/** What is known of a zoo's networks: as `getArchitecture`, or their tensors alone where the options have those. */
export function getOutline(name: string, options: ArchitectureOptions): Outline {
  return options.tensors ? outlineOf(name, options.tensors) : getArchitecture(name, options);
}

/**
 * The layers of networks that have to be computed or whose units have to be reordered. Throws an error with the remedy where only the
 * tensors are known; `what` is what needs them.
 */
export function withLayers(network: Outline | Architecture, what: string): Architecture {
  if ('layers' in network) return network;
  throw new Error(
    `${what} needs the network’s layers, and of ${network.name} only the tensors are known: write them under \`architectures:\`, or let \`exp arch from-onnx\` do so`,
  );
}
