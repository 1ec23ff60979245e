/**
 * Which architecture of the registry a state dict is of, by the names and shapes of its tensors. Those that are no part of a layer, as
 * counters of batches and what profilers leave behind, say nothing about it.
 */
import type {
  ArchitectureDefinition,
  ArchitectureOptions,
  ImageSize,
  Outline,
  ParameterSpec,
} from './architecture.ts';
import { architectures, getOutline, opaque } from './registry.ts';
import { isLayerTensor, partOf } from './state-names.ts';
import { buildWritten, classesOf, type WrittenArchitecture } from './written.ts';

export interface Recognised {
  architecture: Outline;
  options: ArchitectureOptions;
  /** The state dict's own names, by the architecture's. */
  names: ReadonlyMap<string, string>;
}

type Shapes = ReadonlyMap<string, readonly number[]>;

/** Sides of the images that are tried where the data set is not known; many networks take any. */
const sides = [28, 32, 64];

/**
 * The architecture, for images of `input` if that is given, whose state these tensors are: by their names, or else, as names differ
 * between programs, by their kinds and shapes in order. Undefined if there is none. `name` leaves that one architecture; `written` are its layers, where the
 * registry does not know it. Of the architecture `tensors` are all tensors of layers.
 */
export function recognise(all: Shapes, { name, input, written }: Sought = {}): Recognised | undefined {
  const shapes = new Map([...all].filter(([one, shape]) => isLayerTensor(one, shape)));
  if (name === opaque) return outlined(shapes, input);
  const known = Object.values(architectures).filter(
    (definition) => name === undefined || definition.name === name,
  );
  const candidates =
    name !== undefined && written
      ? [
          {
            definition: ownDefinition(name, written),
            state: outlineOfWritten(name, written),
            inputs: [written.input],
          },
        ]
      : known.map((definition) => ({ definition, state: outlineOf(definition), inputs: undefined }));
  for (const pair of [sameNames, sameOrder]) {
    for (const { definition, state, inputs } of candidates) {
      const names = state && pair(state, shapes);
      const found = names && fit(definition, names, shapes, input ? [input] : inputs);
      if (found && written) return { ...found, options: { ...found.options, written } };
      if (found) return found;
    }
  }
  return undefined;
}

export interface Sought {
  name?: string;
  input?: ImageSize;
  written?: WrittenArchitecture;
}

/** Networks of which nothing is known but these tensors. */
function outlined(shapes: Shapes, input: ImageSize = [1, 1, 1]): Recognised | undefined {
  if (shapes.size === 0) return undefined;
  const tensors = Array.from(shapes, ([name, shape]) => ({ name, shape: [...shape] }));
  const options = { input, classes: 1, width: null, tensors };
  return {
    architecture: getOutline(opaque, options),
    options,
    names: new Map(tensors.map(({ name }) => [name, name])),
  };
}

/** A written architecture as those of the registry are; what it builds keeps its layers in the options. */
const ownDefinition = (name: string, written: WrittenArchitecture): ArchitectureDefinition => ({
  ...{ name, description: written.description ?? '', width: null },
  build: (options) => buildWritten(name, written, options),
});

const outlineOfWritten = (name: string, written: WrittenArchitecture) =>
  buildWritten(name, written, { input: written.input, classes: classesOf(written), width: null }).state;

/** The state's names and numbers of axes, which are the same for all options. */
function outlineOf({ build }: ArchitectureDefinition): ParameterSpec[] | undefined {
  for (const input of sides.flatMap((side): ImageSize[] => [
    [side, side, 3],
    [side, side, 1],
  ])) {
    try {
      return build({ input, classes: 10, width: null }).state;
    } catch {
      // It takes other images.
    }
  }
  return undefined;
}

function sameNames(outline: readonly ParameterSpec[], shapes: Shapes): Map<string, string> | undefined {
  if (shapes.size !== outline.length || !outline.every(({ name }) => shapes.has(name))) return undefined;
  return new Map(outline.map(({ name }) => [name, name]));
}

/** The tensors in order, if each is of the same kind: weight, bias, running mean or variance. */
function sameOrder(outline: readonly ParameterSpec[], shapes: Shapes): Map<string, string> | undefined {
  const stored = [...shapes.keys()];
  if (stored.length !== outline.length) return undefined;
  if (!outline.every(({ name }, i) => partOf(name) === partOf(stored[i] as string))) return undefined;
  return new Map(outline.map(({ name }, i) => [name, stored[i] as string]));
}

/** Finds options with which every shape is right: the first convolution tells width and channels, the last layer the classes. */
function fit(
  definition: ArchitectureDefinition,
  names: ReadonlyMap<string, string>,
  shapes: Shapes,
  inputs: readonly ImageSize[] | undefined,
): Recognised | undefined {
  const stored = [...names.values()].map((name) => shapes.get(name) as readonly number[]);
  const [first, last] = [stored[0], stored.at(-1)];
  const [width, channels] = first ?? [];
  const classes = last?.[0];
  if (width === undefined || channels === undefined || classes === undefined) return undefined;
  const candidates = inputs ?? sides.map((side): ImageSize => [side, side, channels]);
  for (const input of candidates) {
    const own = definition.width === null || definition.width === width;
    const options = { input, classes, width: own ? null : width };
    try {
      const architecture = definition.build(options);
      const fits = architecture.state.every(
        ({ name, shape }) => shapes.get(names.get(name) as string)?.join() === shape.join(),
      );
      if (fits) return { architecture, options, names };
    } catch {
      // These images it does not take.
    }
  }
  return undefined;
}
