import type { Normalization } from './dataset.ts';

/** What networks see in place of each byte, for every channel 256 numbers: (byte / 255 - mean) / std. */
export function byteValues({ mean, std }: Normalization): Float32Array[] {
  return mean.map((middle, c) =>
    Float32Array.from({ length: 256 }, (_, byte) => (byte / 255 - middle) / (std[c] as number)),
  );
}
