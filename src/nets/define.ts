import type { ArchitectureDefinition, ArchitectureOptions, ImageSize, Layer } from './architecture.ts';
import { derive } from './derive.ts';

/** An architecture of the registry, as its file writes it. */
interface Definition extends Omit<ArchitectureDefinition, 'build'> {
  /** Side of the images that it takes, in pixels, or the smallest; and how many channels, where not any. */
  images: { side: number; orLarger?: boolean; channels?: readonly number[] };
  /** Its layers; `width` is the paper's where none was asked for, and 0 where it has none. */
  layers(options: { input: ImageSize; classes: number; width: number }): Layer[];
}

/** Completes a definition with a `build` that checks the options first. */
export function defineArchitecture({ images, layers, ...definition }: Definition): ArchitectureDefinition {
  const { name, description } = definition;
  return {
    ...definition,
    build({ input, classes, width }: ArchitectureOptions) {
      const [height, wide, channels] = input;
      const { side, orLarger, channels: known } = images;
      const fits = orLarger ? Math.min(height, wide) >= side : height === side && wide === side;
      if (!fits || (known && !known.includes(channels))) {
        const taken = `${orLarger ? 'at least ' : ''}${side} x ${side} pixels${known ? ` with ${known.join(' or ')} channels` : ''}`;
        throw new Error(
          `${name} takes images of ${taken}, these have ${input.join(' x ')}: choose another architecture or data set`,
        );
      }
      if (width !== null && definition.width === null) {
        throw new Error(`${name} has a fixed width: remove zoo.width, or choose another architecture`);
      }
      if (width !== null && !(Number.isInteger(width) && width > 0)) {
        throw new Error(`${name} cannot be ${width} channels wide: zoo.width is a whole number from 1 on`);
      }
      const options = { input, classes, width: width ?? definition.width ?? 0 };
      return derive({ name, description, input, classes, layers: layers(options) });
    },
  };
}
