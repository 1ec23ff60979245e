import type { Command } from '../command.ts';

export const archFromOnnx: Command = {
  name: 'arch from-onnx',
  summary: 'write the layers of an ONNX network as YAML',
  description:
    'Writes the architecture of a network that PyTorch exported to ONNX, for the block architectures of an experiment, and its weights. Export with batch norm as it is: torch.onnx.export(net.eval(), (images,), "net.onnx", dynamo=True, optimize=False), or with dynamo=False, training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False; otherwise it is folded into the convolutions, and the names of your checkpoints have no place here.',
  arguments: [{ name: 'file', values: 'file' }],
  options: {
    out: { value: 'file', help: 'where the YAML is written (default: the screen)', values: 'file' },
    weights: { value: 'file', help: 'where the weights are written, as safetensors', values: 'file' },
  },
  examples: [
    { line: 'exp arch from-onnx net.onnx --out net.yaml', does: 'its layers' },
    { line: 'exp arch from-onnx net.onnx --out net.yaml --weights net.safetensors', does: 'its weights too' },
  ],
  load: async () => (await import('./run.ts')).archFromOnnxCommand,
};
