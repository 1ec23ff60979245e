/** Images that a file keeps colour by colour, as pixels. */
import type { Shape } from '../dataset.ts';

export interface PlaneLayout {
  /** Each plane is kept column after column [n, C, W, H], as MATLAB has it. */
  byColumns?: boolean;
  /** Bytes in front of each image's planes. */
  before?: number;
}

/** Planes [n, C, H, W] as pixels [n, H, W, C], into `out` if given. */
export function planesToPixels(
  planes: Uint8Array,
  count: number,
  [height, width, channels]: Shape,
  { byColumns = false, before = 0 }: PlaneLayout = {},
  out = new Uint8Array(count * height * width * channels),
): Uint8Array {
  const [down, right] = byColumns ? [1, height] : [width, 1];
  const area = height * width;
  for (let n = 0, to = 0; n < count; n++) {
    const first = n * (before + area * channels) + before;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const from = first + y * down + x * right;
        for (let c = 0; c < channels; c++) out[to++] = planes[from + c * area] as number;
      }
    }
  }
  return out;
}
