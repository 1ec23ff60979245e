import type { Layer } from './architecture.ts';
import { defineArchitecture } from './define.ts';
import { outputSizeOf } from './shapes.ts';

/** The network of the paper's study of eigenvalue spectra (Schürholt et al. 2024, figure 7), with the names of its authors' code. */
export const miniAlexnet = defineArchitecture({
  name: 'mini-alexnet',
  description:
    'two convolutions, each normalised behind its nonlinearity, and three dense layers; 1,873,930 parameters for 32x32 colour images',
  width: null,
  images: { side: 14, orLarger: true },
  layers: ({ input, classes }) => {
    const features: Layer[] = [
      { kind: 'conv2d', name: 'conv1', inputs: input[2], outputs: 96, kernel: 3 },
      { kind: 'activation' },
      { kind: 'batch-norm', name: 'batchnorm1', channels: 96 },
      { kind: 'max-pool', kernel: 3 },
      { kind: 'conv2d', name: 'conv2', inputs: 96, outputs: 256, kernel: 3 },
      { kind: 'activation' },
      { kind: 'batch-norm', name: 'batchnorm2', channels: 256 },
      { kind: 'max-pool' },
      { kind: 'flatten' },
    ];
    return [
      ...features,
      { kind: 'linear', name: 'fc1', inputs: outputSizeOf(features, input)[2], outputs: 384 },
      { kind: 'activation' },
      { kind: 'linear', name: 'fc2', inputs: 384, outputs: 192 },
      { kind: 'activation' },
      { kind: 'linear', name: 'fc3', inputs: 192, outputs: classes },
    ];
  },
});
