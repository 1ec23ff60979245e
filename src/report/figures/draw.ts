/** Figures as SVG without a browser, by Observable Plot on a document of linkedom. Each stands by itself: its legend is part of it. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { escapeText } from '../renderers/html.ts';

export interface Figure {
  /** Names its file: `accuracy-over-features`. */
  name: string;
  /** What it shows, for screen readers too. */
  caption: string;
  /** A whole SVG document. */
  svg: string;
}

/** Colours apart for readers of any colour vision (Okabe and Ito), on white, with grey in the place of yellow. */
export const colors = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#56b4e9',
  '#e69f00',
  '#000000',
  '#999999',
];

/** In pixels, as the other lengths here. */
export const figureWidth = 640;

const fontSize = 13;
const lineHeight = 20;
/** Of a letter, on average, and a little more. */
const letterWidth = 7.4;
const swatch = 14;
const marginLeft = 56;
const marginTop = 40;
const plotHeight = 320;

/** As many ticks as are readable. */
export function someOf(values: readonly number[]): number[] {
  const step = Math.ceil(values.length / 10);
  return values.filter((_, i) => i % step === 0);
}

/** What the colours of a figure stand for: names, in the order of `colors`; or numbers, which are called so. */
export type Legend = readonly string[] | { title: string };

/** The colour of the i-th name. */
export const colorOf = (i: number): string => colors[i % colors.length] as string;

/** A scale of colours for these names, for Plot. */
export const colorsOf = (names: readonly string[]) => ({
  domain: [...names],
  range: names.map((_, i) => colorOf(i)),
});

function plot(caption: string, options: Plot.PlotOptions) {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  return Plot.plot({
    // An aspect ratio decides the height where there is one.
    ...(options.aspectRatio ? {} : { height: plotHeight }),
    ...{ width: figureWidth, marginLeft, marginTop, marginBottom: 48 },
    ...{ grid: true, ariaLabel: caption },
    ...{ style: { fontSize: `${fontSize}px`, background: '#ffffff', color: '#1f2328' } },
    ...options,
    document,
  });
}

/** Draws what Plot is asked for, with its legend above. */
export function draw(
  name: string,
  caption: string,
  { legend, ...options }: Plot.PlotOptions & { legend?: Legend | undefined },
): Figure {
  return panels(name, caption, [options], legend, options.width);
}

/** Draws several plots side by side, as many in a row as `width` has room for, under one legend. */
export function panels(
  name: string,
  caption: string,
  plots: readonly Plot.PlotOptions[],
  legend: Legend | undefined,
  width = figureWidth,
): Figure {
  const drawn = plots.map((options) => plot(caption, options));
  const above = legend === undefined ? { svg: '', height: 0 } : drawLegend(legend, width, drawn[0]);
  let [x, y, rowHeight] = [0, above.height, 0];
  const placed = drawn.map((one) => {
    const [w, h] = [Number(one.getAttribute('width')), Number(one.getAttribute('height'))];
    if (x > 0 && x + w > width) [x, y, rowHeight] = [0, y + rowHeight, 0];
    one.setAttribute('x', String(x));
    one.setAttribute('y', String(y));
    x += w;
    rowHeight = Math.max(rowHeight, h);
    return one.outerHTML;
  });
  const height = y + rowHeight;
  const attributes = {
    ...{ xmlns: 'http://www.w3.org/2000/svg', role: 'img', 'aria-label': caption },
    ...{ width, height, viewBox: `0 0 ${width} ${height}`, fill: '#1f2328' },
    ...{ 'font-family': 'system-ui, sans-serif', 'font-size': fontSize },
  };
  return { name, caption, svg: tag('svg', attributes, `${above.svg}${placed.join('')}`) };
}

function tag(kind: string, attributes: Record<string, string | number>, content = ''): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeText(String(value))}"`);
  return `<${kind}${written.join('')}>${content}</${kind}>`;
}

const label = (x: number, y: number, text: string) => tag('text', { x, y }, escapeText(text));

function drawLegend(
  legend: Legend,
  width: number,
  first: Plot.Plot | undefined,
): { svg: string; height: number } {
  if ('title' in legend) {
    const scale = first?.scale('color');
    const [low = 0, high = 0] = (scale?.domain ?? []) as number[];
    const lead = `${legend.title} ${shortly(low)}`;
    const start = marginLeft + letterWidth * lead.length + 8;
    const ramp = Array.from({ length: rampSteps }, (_, i) => {
      const value = low + ((high - low) * (i + 0.5)) / rampSteps;
      return tag('rect', {
        x: start + 4 * i,
        y: 4,
        width: 4.5,
        height: swatch,
        fill: String(scale?.apply(value)),
      });
    });
    const end = label(start + 4 * rampSteps + 8, 15.5, shortly(high));
    return { svg: `${label(marginLeft, 15.5, lead)}${ramp.join('')}${end}`, height: lineHeight };
  }
  let [x, y] = [marginLeft, 4];
  const names = legend.map((name, i) => {
    const length = swatch + 5 + letterWidth * name.length + 14;
    if (x + length > width && x > marginLeft) [x, y] = [marginLeft, y + lineHeight];
    const box = tag('rect', { x, y, width: swatch, height: swatch, fill: colorOf(i) });
    const text = label(x + swatch + 5, y + 11.5, name);
    x += length;
    return `${box}${text}`;
  });
  return { svg: names.join(''), height: y + lineHeight };
}

const rampSteps = 40;
const shortly = (value: number) => String(Number(value.toPrecision(3)));
