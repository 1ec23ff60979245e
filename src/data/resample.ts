/**
 * Resizes images as PIL's bilinear filter does, which torchvision's Resize uses on PIL images: a triangle as wide as the ratio of the sizes where
 * images shrink, so that no pixel is left out; columns first, then rows, each pass rounded to bytes, in fixed point of 22 bits.
 */
import type { Shape } from './dataset.ts';

const precision = 22;

interface Taps {
  first: number;
  weights: Int32Array;
}

/** Which input pixels an output pixel is made of along one axis, and their weights. */
function taps(before: number, after: number): Taps[] {
  const scale = before / after;
  const support = Math.max(1, scale);
  return Array.from({ length: after }, (_, i) => {
    const center = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(before, Math.trunc(center + support + 0.5));
    const weights = Array.from({ length: end - first }, (_, k) =>
      Math.max(0, 1 - Math.abs((first + k - center + 0.5) * (1 / support))),
    );
    const sum = weights.reduce((a, b) => a + b, 0);
    return { first, weights: Int32Array.from(weights, (w) => Math.trunc(0.5 + (w / sum) * 2 ** precision)) };
  });
}

/** Resizes along one axis: `outer` lines of pixels that are `inner` numbers apart. */
function pass(
  image: Uint8Array,
  outer: number,
  before: number,
  inner: number,
  all: readonly Taps[],
): Uint8Array {
  const out = new Uint8Array(outer * all.length * inner);
  for (let o = 0, to = 0; o < outer; o++) {
    for (const { first, weights } of all) {
      for (let c = 0; c < inner; c++, to++) {
        let sum = 1 << (precision - 1);
        const from = (o * before + first) * inner + c;
        for (let k = 0; k < weights.length; k++)
          sum += (image[from + k * inner] as number) * (weights[k] as number);
        out[to] = Math.min(255, sum >> precision);
      }
    }
  }
  return out;
}

export class Resampling {
  private readonly columns: Taps[];
  private readonly rows: Taps[];

  constructor(
    private readonly shape: Shape,
    [height, width]: readonly [height: number, width: number],
  ) {
    this.columns = taps(shape[1], width);
    this.rows = taps(shape[0], height);
  }

  /** An image [H, W, C] in the other size. */
  apply(image: Uint8Array): Uint8Array {
    const [height, width, channels] = this.shape;
    const wide = this.columns.length;
    const narrowed = wide === width ? image : pass(image, height, width, channels, this.columns);
    return this.rows.length === height ? narrowed : pass(narrowed, 1, height, wide * channels, this.rows);
  }
}
