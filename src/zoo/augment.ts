/** Random crops, mirror images and rotations of training images, as torchvision draws them: on bytes, filled with black. */

import type { Random } from '../base/random.ts';
import type { ImageFormat, ImageSet } from '../data/dataset.ts';
import { byteValues } from '../data/normalize.ts';
import type { ZooSettings } from '../experiment/types.ts';

export type Augmentation = Pick<ZooSettings, 'crop_padding' | 'flip' | 'rotation'>;

export const augments = ({ crop_padding, flip, rotation }: Augmentation) =>
  crop_padding > 0 || flip || rotation > 0;

/**
 * The images of these numbers, each augmented by draws of its own, normalised, one after the other into `out` [n, H, W, C].
 * Crop, mirroring and rotation come in this order; a rotation takes the nearest pixel, as torchvision's default does.
 */
export function augmentBatch(
  { images }: ImageSet,
  { shape: [height, width, channels], normalize }: Pick<ImageFormat, 'shape' | 'normalize'>,
  numbers: ArrayLike<number>,
  { crop_padding, flip, rotation }: Augmentation,
  random: Random,
  out: Float32Array,
): void {
  const size = height * width * channels;
  // What networks see of byte b in channel c, at 256 c + b. Outside of an image is black, byte 0.
  const seen = Float32Array.from(byteValues(normalize).flatMap((values) => [...values]));
  for (let n = 0; n < numbers.length; n++) {
    const first = (numbers[n] as number) * size;
    const down = crop_padding > 0 ? random.integer(2 * crop_padding + 1) - crop_padding : 0;
    const right = crop_padding > 0 ? random.integer(2 * crop_padding + 1) - crop_padding : 0;
    const mirrored = flip && random.uniform() < 0.5;
    const angle = rotation > 0 ? (random.uniform(-rotation, rotation) * Math.PI) / 180 : 0;
    const cos = Math.cos(angle);
    const sin = Math.sin(angle);
    const middleY = (height - 1) / 2;
    const middleX = (width - 1) / 2;
    for (let y = 0, to = n * size; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let row = y;
        let column = x;
        if (angle !== 0) {
          // Where the pixel was before a turn against the clock; floor is twice as fast here as round.
          const dy = y - middleY;
          const dx = x - middleX;
          column = Math.floor(cos * dx - sin * dy + middleX + 0.5);
          row = Math.floor(sin * dx + cos * dy + middleY + 0.5);
        }
        const turnedIn = row >= 0 && row < height && column >= 0 && column < width;
        if (mirrored) column = width - 1 - column;
        row += down;
        column += right;
        const inside = turnedIn && row >= 0 && row < height && column >= 0 && column < width;
        const from = first + (row * width + column) * channels;
        for (let c = 0; c < channels; c++, to++) {
          out[to] = seen[256 * c + (inside ? (images[from + c] as number) : 0)] as number;
        }
      }
    }
  }
}
