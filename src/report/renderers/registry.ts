import { csv } from './csv.ts';
import { json } from './json.ts';
import { latex } from './latex.ts';
import { markdown } from './markdown.ts';
import type { Renderer } from './renderer.ts';

/** The formats that every table is written in. */
export const renderers: readonly Renderer[] = [markdown, csv, latex, json];
