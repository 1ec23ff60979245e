import { Random } from '../base/random.ts';
import { type Dataset, halves, type ImageSet } from './dataset.ts';

/**
 * Ten symbols drawn as strokes under random affine maps, with stray strokes and noise: a data set that needs no download.
 * Every image has a random stream of its own, so the first n are the same however many are drawn.
 */

type Point = readonly [number, number];
type Polyline = readonly Point[];

const side = 28;

/** Points of an arc around (x, y), angles in turns; the y axis points down. */
function arc(x: number, y: number, radius: number, from: number, to: number): Point[] {
  const points = 12;
  return Array.from({ length: points + 1 }, (_, i) => {
    const angle = 2 * Math.PI * (from + ((to - from) * i) / points);
    return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)] as const;
  });
}

/** The symbols in a square from -1 to 1. Some differ by one stroke, so that they are confused now and then. */
const symbols: readonly (readonly Polyline[])[] = [
  [arc(0, 0, 0.8, 0, 1)],
  [arc(0, 0, 0.8, 0.1, 0.9)],
  [
    [
      [-0.7, -0.8],
      [0.7, -0.8],
      [-0.7, 0.8],
      [0.7, 0.8],
    ],
  ],
  [
    [
      [-0.7, -0.8],
      [0.7, -0.8],
      [-0.1, 0.8],
    ],
  ],
  [
    [
      [0, -0.85],
      [0.75, 0.7],
      [-0.75, 0.7],
      [0, -0.85],
    ],
  ],
  [
    [
      [0.4, 0.85],
      [0.4, -0.85],
      [-0.7, 0.3],
      [0.75, 0.3],
    ],
  ],
  [
    [
      [-0.7, -0.8],
      [0.7, -0.8],
    ],
    [
      [0, -0.8],
      [0, 0.85],
    ],
  ],
  [
    [
      [-0.7, -0.75],
      [0.7, 0.75],
    ],
    [
      [0.7, -0.75],
      [-0.7, 0.75],
    ],
  ],
  [
    [
      [-0.6, -0.85],
      [-0.6, 0.85],
    ],
    arc(-0.6, -0.35, 0.5, -0.25, 0.25).map(([x, y]) => [x * 1.6 + 0.36, y] as const),
  ],
  [arc(0, -0.42, 0.42, 0, 1), arc(0, 0.42, 0.42, 0, 1)],
];

/** Distance from (x, y) to the segment from a to b. */
function segmentDistance(x: number, y: number, a: Point, b: Point): number {
  const dx = b[0] - a[0];
  const dy = b[1] - a[1];
  const along = ((x - a[0]) * dx + (y - a[1]) * dy) / (dx * dx + dy * dy + 1e-12);
  const t = Math.min(1, Math.max(0, along));
  return Math.hypot(x - a[0] - t * dx, y - a[1] - t * dy);
}

/** Adds a polyline in pixel coordinates to a canvas: full inside the stroke, a ramp of one pixel at its edge. */
function stroke(canvas: Float32Array, line: Polyline, halfWidth: number, intensity: number): void {
  const reach = halfWidth + 1;
  for (let i = 1; i < line.length; i++) {
    const a = line[i - 1] as Point;
    const b = line[i] as Point;
    const low = (k: 0 | 1) => Math.max(0, Math.floor(Math.min(a[k], b[k]) - reach));
    const high = (k: 0 | 1) => Math.min(side - 1, Math.ceil(Math.max(a[k], b[k]) + reach));
    for (let y = low(1); y <= high(1); y++) {
      for (let x = low(0); x <= high(0); x++) {
        const cover = Math.min(1, Math.max(0, halfWidth + 0.5 - segmentDistance(x, y, a, b)));
        const at = y * side + x;
        canvas[at] = Math.max(canvas[at] as number, cover * intensity);
      }
    }
  }
}

/** Draws the symbol of class `label` into `out`, 784 bytes. */
function drawGlyph(label: number, random: Random, out: Uint8Array): void {
  const canvas = new Float32Array(side * side);
  const angle = 0.3 * random.normal();
  const size = random.uniform(6.5, 10.5);
  const stretch = random.uniform(0.75, 1.3);
  const shear = 0.2 * random.normal();
  const center = [13.5 + random.uniform(-2.5, 2.5), 13.5 + random.uniform(-2.5, 2.5)] as const;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const place = ([x, y]: Point): Point => {
    const [u, v] = [(x + shear * y) * size * stretch ** 0.5, (y * size) / stretch ** 0.5];
    return [center[0] + cos * u - sin * v, center[1] + sin * u + cos * v];
  };
  const width = random.uniform(0.5, 1.4);
  const ink = random.uniform(0.6, 1);
  for (const line of symbols[label] as readonly Polyline[]) stroke(canvas, line.map(place), width, ink);
  for (let strays = random.integer(3); strays > 0; strays--) {
    const x = random.uniform(0, side);
    const y = random.uniform(0, side);
    const end: Point = [x + random.uniform(-9, 9), y + random.uniform(-9, 9)];
    stroke(canvas, [[x, y], end], random.uniform(0.3, 0.9), random.uniform(0.3, 0.8));
  }
  for (let i = 0; i < canvas.length; i++) {
    const value = (canvas[i] as number) + 0.12 * random.normal();
    out[i] = Math.round(255 * Math.min(1, Math.max(0, value)));
  }
}

function draw(split: 'train' | 'validation' | 'test', count: number): ImageSet {
  const images = new Uint8Array(count * side * side);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const random = new Random(0, 'data', 'glyphs', split, i);
    labels[i] = random.integer(symbols.length);
    drawGlyph(labels[i] as number, random, images.subarray(i * side * side, (i + 1) * side * side));
  }
  return { images, labels };
}

const counts = { train: 10_000, test: 2_000 };

export const glyphs: Dataset = {
  name: 'glyphs',
  description: 'ten symbols that the program draws itself, 28x28 grey; needs no download',
  standsFor: ['mnist', 'cifar-10', 'svhn', 'cifar-100', 'tiny-imagenet'],
  shape: [side, side, 1],
  classes: symbols.length,
  normalize: halves(1),
  counts,
  drawn: true,
  publication: null,
  load: async (_source, wanted) => ({
    train: draw('train', wanted.train ?? counts.train),
    test: draw('test', wanted.test ?? counts.test),
    ...(wanted.validation !== undefined && {
      validation: draw('validation', wanted.validation ?? counts.test),
    }),
  }),
};
