import type { Command } from '../command.ts';
import { device, json, key, pretrained } from '../options.ts';

export const embed: Command = {
  name: 'embed',
  summary: 'print embeddings of trained models',
  description:
    'Prints the mean embedding of each model by a pretrained SANE, one line per model. A model is a checkpoint file of PyTorch or safetensors; a folder stands for those in it.',
  arguments: [{ name: 'model', many: true, values: 'file' }],
  options: {
    ...pretrained,
    key,
    out: { value: 'file', help: 'write to this file instead of standard output', values: 'file' },
    device: { ...device, help: `${device.help} (default: auto)` },
    json,
  },
  examples: [
    { line: 'exp embed a.pt b.pt --sane state.pt', does: 'two models' },
    { line: 'exp embed zoo/*.pt --sane state.pt --json --out embeddings.json', does: 'as JSON' },
  ],
  load: async () => (await import('./run.ts')).embedCommand,
};
