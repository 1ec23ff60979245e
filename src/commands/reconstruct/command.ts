import type { Command } from '../command.ts';
import { device, format, json, key, pretrained } from '../options.ts';

export const reconstruct: Command = {
  name: 'reconstruct',
  summary: 'encode and decode trained models',
  description:
    'Writes each model as a pretrained SANE encodes and decodes it, to a file of the same name in another folder. A folder stands for the checkpoint files in it.',
  arguments: [{ name: 'model', many: true, values: 'file' }],
  options: {
    ...pretrained,
    key,
    out: { value: 'folder', help: 'where the new models are written', required: true, values: 'folder' },
    format,
    device: { ...device, help: `${device.help} (default: auto)` },
    json,
  },
  examples: [
    { line: 'exp reconstruct a.pt --sane state.pt --out new', does: 'writes new/a.safetensors' },
    { line: 'exp reconstruct a.pt --sane state.pt --out new --format pt', does: 'writes new/a.pt' },
  ],
  load: async () => (await import('./run.ts')).reconstructCommand,
};
