/**
 * Architectures that are written as data, in an experiment or in a file of their own: schemas/architecture.schema.json. What is wrong with
 * one is data too, with its place in the value, so that whoever has the text can point at the line.
 */
import type {
  ActivationFunction,
  Architecture,
  ArchitectureOptions,
  ImageSize,
  Layer,
  Leaf,
} from './architecture.ts';
import { derive } from './derive.ts';
import { added, behindEachOther, outputSize } from './shapes.ts';

/** A layer as it is written: what it gets need not be said. */
export type WrittenLayer =
  | {
      kind: 'conv2d';
      name: string;
      inputs?: number;
      outputs: number | 'classes';
      kernel: number;
      stride?: number;
      padding?: number;
      dilation?: number;
      groups?: number;
      bias?: boolean;
    }
  | { kind: 'linear'; name: string; inputs?: number; outputs: number | 'classes'; bias?: boolean }
  | { kind: 'batch-norm' | 'layer-norm'; name: string; channels?: number; epsilon?: number }
  | { kind: 'max-pool' | 'average-pool'; kernel?: number; stride?: number; padding?: number }
  | { kind: 'activation'; function?: ActivationFunction; slope?: number }
  | { kind: 'global-average-pool' | 'flatten' | 'dropout' }
  | { kind: 'residual'; branch: WrittenLayer[]; shortcut?: WrittenLayer[] }
  | { kind: 'concatenate'; branches: WrittenLayer[][] };

export interface WrittenArchitecture {
  description?: string;
  input: ImageSize;
  /** How many classes `outputs: classes` is, if no data set says. */
  classes?: number;
  layers: WrittenLayer[];
}

type Path = readonly (string | number)[];

/** What does not fit in a written architecture, and where: keys and places from the architecture on. */
export interface LayerProblem {
  path: Path;
  message: string;
  hint?: string;
}

/** Classes for which layers are checked that say `outputs: classes`, where nothing says how many there are. */
const someClasses = 10;

/**
 * What does not fit in an architecture's layers, for its own images and classes; it must be as the schema wants it. What follows
 * from an earlier mistake of the same sequence of layers is not reported.
 */
export function layerProblems(written: WrittenArchitecture): LayerProblem[] {
  const { input, classes } = written;
  const { problems, outputs } = resolve(written, input, classes ?? someClasses);
  if (problems.length > 0 || classes === undefined || outputs === classes) return problems;
  const message = `the last layer has ${outputs} outputs`;
  return [{ path: ['classes'], message, hint: 'write `outputs: classes` there, or the same number here' }];
}

/**
 * The architecture of these layers for images and classes. Throws an error that says what to change where its layers do not fit each
 * other, or these images and classes: images of other sizes do where no tensor's shape depends on them.
 */
export function buildWritten(
  name: string,
  written: WrittenArchitecture,
  { input, classes, width }: ArchitectureOptions,
): Architecture {
  if (width !== null) {
    throw new Error(`${name} has a fixed width: remove zoo.width, or choose another architecture`);
  }
  const home = architectureFor(name, written, written.input, classes);
  if (input.join() === written.input.join()) return home;
  const shapes = ({ state }: Architecture) => JSON.stringify(state);
  let other: Architecture | undefined;
  try {
    other = architectureFor(name, written, input, classes);
  } catch {
    // Nothing is left of smaller images, or they have other channels.
  }
  if (other && shapes(other) === shapes(home)) return other;
  throw new Error(
    `${name} takes images of ${written.input.join(' x ')}, these have ${input.join(' x ')}: choose another architecture or data set`,
  );
}

function architectureFor(
  name: string,
  written: WrittenArchitecture,
  input: ImageSize,
  classes: number,
): Architecture {
  const { layers, problems, outputs } = resolve(written, input, classes);
  const [problem] = problems;
  if (problem) throw new Error(`${name}: ${problem.path.join('.')}: ${problem.message}`);
  if (outputs !== classes) {
    throw new Error(
      `${name} has ${outputs} outputs for ${classes} classes: write \`outputs: classes\` in its last layer, or choose another data set`,
    );
  }
  return derive({ name, description: written.description ?? 'written as layers', input, classes, layers });
}

/** How many classes a written architecture is for by itself. */
export function classesOf(written: WrittenArchitecture): number {
  return resolve(written, written.input, written.classes ?? someClasses).outputs;
}

/** The size behind layers that are no branches, for images of this size. Throws an error naming the layer that takes no such size. */
export function sizeBehind(layers: readonly WrittenLayer[], input: ImageSize): ImageSize {
  return layers.reduce(
    (size, layer) => outputSize(completed(layer as WrittenLeaf, size, someClasses), size),
    input,
  );
}

interface Resolved {
  layers: Layer[];
  /** What the last layer gives, or 0 where a layer does not fit. */
  outputs: number;
  problems: LayerProblem[];
}

/** Fills in what follows from the layer before, and finds what does not fit. */
function resolve({ layers: written }: WrittenArchitecture, input: ImageSize, classes: number): Resolved {
  const problems: LayerProblem[] = [];
  const names = new Set<string>();

  /** The layers of a sequence up to the first that does not fit, and the size behind them; undefined if one does not. */
  const sequence = (
    written: readonly WrittenLayer[],
    path: Path,
    input: ImageSize,
  ): { layers: Layer[]; size: ImageSize | undefined } => {
    const layers: Layer[] = [];
    let size: ImageSize | undefined = input;
    for (const [i, layer] of written.entries()) {
      const here = [...path, i];
      try {
        const next = one(layer, here, size);
        if (next.layer) layers.push(next.layer);
        size = next.size;
      } catch (error) {
        problems.push({ path: here, message: (error as Error).message });
        size = undefined;
      }
      if (!size) break;
    }
    return { layers, size };
  };

  const one = (
    layer: WrittenLayer,
    path: Path,
    input: ImageSize,
  ): { layer?: Layer; size: ImageSize | undefined } => {
    if (layer.kind === 'residual') {
      const branch = sequence(layer.branch, [...path, 'branch'], input);
      const shortcut = sequence(layer.shortcut ?? [], [...path, 'shortcut'], input);
      return {
        layer: { kind: 'residual', branch: branch.layers, shortcut: shortcut.layers },
        size: branch.size && shortcut.size && added(branch.size, shortcut.size),
      };
    }
    if (layer.kind === 'concatenate') {
      const branches = layer.branches.map((branch, i) => sequence(branch, [...path, 'branches', i], input));
      const sizes = branches.flatMap(({ size }) => (size ? [size] : []));
      return {
        layer: { kind: 'concatenate', branches: branches.map(({ layers }) => layers) },
        size: sizes.length === branches.length ? behindEachOther(sizes) : undefined,
      };
    }
    if ('name' in layer) {
      if (names.has(layer.name)) throw new Error(`there are two layers called ${layer.name}`);
      names.add(layer.name);
    }
    const complete = completed(layer, input, classes);
    return { layer: complete, size: outputSize(complete, input) };
  };

  const { layers, size } = sequence(written, ['layers'], input);
  if (size && size[0] * size[1] > 1) {
    problems.push({
      path: ['layers', Math.max(0, written.length - 1)],
      message: `the network gives ${size.join(' x ')} numbers, not one for each class`,
      hint: 'end it with `kind: global-average-pool` or `kind: flatten`, and a layer of `kind: linear`',
    });
  }
  return { layers, outputs: size?.[2] ?? 0, problems };
}

type WrittenLeaf = Exclude<WrittenLayer, { kind: 'residual' } | { kind: 'concatenate' }>;

/** A layer with the channels that it gets. */
function completed(layer: WrittenLeaf, [, , channels]: ImageSize, classes: number): Leaf {
  switch (layer.kind) {
    case 'conv2d':
    case 'linear': {
      const { inputs = channels, outputs, ...rest } = layer;
      return { ...rest, inputs, outputs: outputs === 'classes' ? classes : outputs };
    }
    case 'batch-norm':
    case 'layer-norm':
      return { channels, ...layer } as Leaf;
    default:
      return layer as Leaf;
  }
}
