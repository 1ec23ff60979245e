import { defineArchitecture } from './define.ts';

/** The larger CNN of the paper's CIFAR-10 and STL-10 zoos (Schürholt et al. 2024, section 5 and appendix). */
export const cnnLarge = defineArchitecture({
  name: 'cnn-large',
  description: 'three convolutions and two dense layers for 32x32 images, 10,853 parameters for colour ones',
  family: 'cnn',
  width: null,
  images: { side: 32, channels: [1, 3] },
  // The names are those of PyTorch's module list, in which pooling, nonlinearities and dropout count too.
  layers: ({ input: [, , channels], classes }) => [
    { kind: 'conv2d', name: 'module_list.0', inputs: channels, outputs: 16, kernel: 3 },
    { kind: 'max-pool' },
    { kind: 'activation' },
    { kind: 'dropout' },
    { kind: 'conv2d', name: 'module_list.4', inputs: 16, outputs: 32, kernel: 3 },
    { kind: 'max-pool' },
    { kind: 'activation' },
    { kind: 'dropout' },
    { kind: 'conv2d', name: 'module_list.8', inputs: 32, outputs: 15, kernel: 3 },
    { kind: 'max-pool' },
    { kind: 'activation' },
    { kind: 'dropout' },
    { kind: 'flatten' },
    { kind: 'linear', name: 'module_list.13', inputs: 60, outputs: 20 },
    { kind: 'activation' },
    { kind: 'dropout' },
    { kind: 'linear', name: 'module_list.16', inputs: 20, outputs: classes },
  ],
});
