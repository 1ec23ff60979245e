/** The paper's figure 7: the spectrum of a layer, and the distances between the embeddings of its tokens, run by run. */
import * as Plot from '@observablehq/plot';
import { histogram } from '../../base/histogram.ts';
import { colorOf, type Figure, panels } from './draw.ts';
import type { Analysis } from './evidence.ts';

const panel = { width: 300, height: 220 };
const mostRuns = 4;
const parts = 40;

/** Eigenvalues that are zero but for rounding, as a share of the largest. */
const negligible = 1e-12;

const sides = { x1: 'from', x2: 'to', y: 'count' };

/** Bars for the counts in equal parts of a range. */
function barsOf(counts: readonly number[], low: number, high: number) {
  const step = (high - low || 1) / counts.length;
  return counts.map((count, i) => ({ count, from: low + i * step, to: low + (i + 1) * step }));
}

/** Two panels below each other for each run. Null where no run has a layer in full. */
export function drawSpectra(analyses: readonly Analysis[]): Figure | null {
  const shown = analyses
    .flatMap(({ title, example }) => (example ? [{ title, ...example }] : []))
    .slice(0, mostRuns);
  if (shown.length === 0) return null;
  const width = panel.width * shown.length;
  const logsOf = shown.map(({ eigenvalues }) => {
    const least = negligible * (eigenvalues.at(-1) ?? 0);
    return eigenvalues.filter((value) => value > least).map(Math.log10);
  });
  // The same axes for all, so that tails can be compared.
  const low = Math.min(...logsOf.map((logs) => logs[0] ?? 0));
  const high = Math.max(...logsOf.map((logs) => logs.at(-1) ?? 0));
  const farthest = Math.max(...shown.map((one) => one.distances.largest));
  const spectra = shown.map(({ title, layer }, i): Plot.PlotOptions => {
    const logs = logsOf[i] ?? [];
    const bars = barsOf(histogram(logs, low, high, parts), low, high);
    return {
      ...panel,
      x: { label: `log10 eigenvalue of ${layer}`, ticks: 5, domain: [low, high] },
      y: { label: `eigenvalues (${title})`, ticks: 5 },
      marks: [Plot.rectY(bars, { ...sides, fill: colorOf(1) })],
    };
  });
  const distances = shown.map(
    ({ distances: { largest, counts } }): Plot.PlotOptions => ({
      ...panel,
      x: { label: 'distance of token embeddings', ticks: 5, domain: [0, farthest] },
      y: { label: 'pairs', ticks: 5, tickFormat: '~s' },
      marks: [Plot.rectY(barsOf(counts, 0, largest), { ...sides, fill: colorOf(0) })],
    }),
  );
  const caption =
    "Spectrum of the layer with most weights, above, and distances between the embeddings of its tokens, below (as the paper's figure 7), of the last test model of each run";
  return panels('spectra', caption, [...spectra, ...distances], undefined, width);
}
