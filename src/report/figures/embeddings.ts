/** Where models lie to one another by SANE's embeddings. */
import * as Plot from '@observablehq/plot';
import { draw, type Figure } from './draw.ts';
import type { EmbeddingMap } from './evidence.ts';

/** A dot for each checkpoint of a test model, coloured by its accuracy. Both axes have the same scale, so that distances can be compared. */
export function drawEmbeddings({ run, shares, points }: EmbeddingMap): Figure {
  const shown = points.map(({ x, y, accuracy }) => ({ x, y, accuracy: 100 * accuracy }));
  const axis = (i: number) => `component ${i + 1} (${(100 * (shares[i] ?? 0)).toFixed(0)} % of the variance)`;
  const caption = `Mean embeddings of the test models in two dimensions (principal components), coloured by test accuracy (${run})`;
  return draw('embeddings', caption, {
    ...{ width: 560, aspectRatio: 1, inset: 8 },
    legend: { title: 'accuracy in %' },
    x: { label: axis(0), ticks: 6 },
    y: { label: axis(1), ticks: 6 },
    color: { scheme: 'viridis', type: 'linear' },
    marks: [
      Plot.dot(shown, { x: 'x', y: 'y', fill: 'accuracy', r: 3.5, stroke: '#1f2328', strokeWidth: 0.4 }),
    ],
  });
}
