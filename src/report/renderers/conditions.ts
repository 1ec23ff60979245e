import { csvText } from './csv-text.ts';
import type { Renderer } from './renderer.ts';

export const conditions: Renderer = {
  name: 'conditions',
  description:
    "How the runs of a table are not under the paper's conditions, one setting per line (RFC 4180).",
  extension: 'conditions.csv',
  render({ id, key, conditions }) {
    if (conditions.length === 0) return null;
    const lines = conditions.map(({ setting, value, paper, where }) => [
      id ?? key,
      where,
      setting,
      value,
      paper,
    ]);
    return csvText([['table', 'where', 'setting', 'value', 'paper'], ...lines]);
  },
};
