import { conditions } from './conditions.ts';
import { csv } from './csv.ts';
import { html } from './html.ts';
import { json } from './json.ts';
import { latex } from './latex.ts';
import { markdown } from './markdown.ts';
import type { Renderer } from './renderer.ts';

/** The formats that every table is written in. */
export const renderers: readonly Renderer[] = [markdown, csv, conditions, latex, html, json];
