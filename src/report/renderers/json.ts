import type { Renderer } from './renderer.ts';

export const json: Renderer = {
  name: 'json',
  description: 'The table model itself, for programs; numbers in full precision.',
  extension: 'json',
  render: (table) => `${JSON.stringify(table, null, 2)}\n`,
};
