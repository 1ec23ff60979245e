/** What is done with the images of a data set before networks see them: chosen, made grey, cropped, resized. All on bytes, as PIL does it. */
import { sizeOf } from '../base/shape.ts';
import type { ImageSet, Shape } from './dataset.ts';
import { Resampling } from './resample.ts';

export interface Preparation {
  /** Images of three channels become grey. */
  grey: boolean;
  /** Side of the square that is cut out of the middle; null: none. */
  crop: number | null;
  /** Side of the square that images are resized to; null: not. */
  resize: number | null;
}

type Step = (image: Uint8Array) => Uint8Array;

/** Rec. 601 luma in fixed point, as PIL's mode L. */
function grey(image: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: image.length / 3 }, (_, i) => {
    const [r, g, b] = [image[3 * i], image[3 * i + 1], image[3 * i + 2]] as unknown as [
      number,
      number,
      number,
    ];
    return (19595 * r + 38470 * g + 7471 * b + 0x8000) >> 16;
  });
}

/** Cuts a square out of the middle; of an odd border the larger half is below and to the right. */
export function crop(image: Uint8Array, [height, width, channels]: Shape, side: number): Uint8Array {
  const out = new Uint8Array(side * side * channels);
  const [top, left] = [Math.floor((height - side) / 2), Math.floor((width - side) / 2)];
  for (let y = 0; y < side; y++) {
    const from = ((top + y) * width + left) * channels;
    out.set(image.subarray(from, from + side * channels), y * side * channels);
  }
  return out;
}

/** The steps from a data set's images to those that networks see, and the shape of these. Throws an error naming the setting. */
export function preparationSteps(
  name: string,
  shape: Shape,
  { grey: wantsGrey, crop: cropped, resize }: Preparation,
): { steps: Step[]; shape: Shape } {
  const steps: Step[] = [];
  let [height, width, channels] = shape;
  if (wantsGrey && channels === 3) {
    steps.push(grey);
    channels = 1;
  }
  if (cropped !== null && cropped > Math.min(height, width)) {
    throw new Error(
      `data.crop is ${cropped}, the images of ${name} are ${height} x ${width}: lower it or leave it out`,
    );
  }
  if (cropped !== null && (cropped < height || cropped < width)) {
    const before: Shape = [height, width, channels];
    steps.push((image) => crop(image, before, cropped));
    [height, width] = [cropped, cropped];
  }
  if (resize !== null && (resize !== height || resize !== width)) {
    const resampling = new Resampling([height, width, channels], [resize, resize]);
    steps.push((image) => resampling.apply(image));
    [height, width] = [resize, resize];
  }
  return { steps, shape: [height, width, channels] };
}

/**
 * The images of these numbers, in their order (all, for null), after the steps. Where there is nothing to do, the set itself, so that large
 * sets are held once.
 */
export function prepareImages(
  set: ImageSet,
  from: Shape,
  { steps, shape }: { steps: readonly Step[]; shape: Shape },
  order: Int32Array | null,
): ImageSet {
  if (!order && steps.length === 0) return set;
  const [before, after] = [from, shape].map((sizes) => sizeOf(sizes)) as [number, number];
  const count = order?.length ?? set.labels.length;
  const out = { images: new Uint8Array(count * after), labels: new Uint8Array(count) };
  for (let i = 0; i < count; i++) {
    const n = order ? (order[i] as number) : i;
    const image = steps.reduce((last, step) => step(last), set.images.subarray(n * before, (n + 1) * before));
    out.images.set(image, i * after);
    out.labels[i] = set.labels[n] as number;
  }
  return out;
}
