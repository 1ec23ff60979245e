import { defineArchitecture } from './define.ts';

/** The small CNN of the paper's MNIST and SVHN zoos (Schürholt et al. 2024, section 5 and appendix). */
export const cnnSmall = defineArchitecture({
  name: 'cnn-small',
  description:
    'three convolutions and two dense layers for 28x28 images, 2,464 parameters for grey ones and 2,864 for colour',
  family: 'cnn',
  width: null,
  images: { side: 28, channels: [1, 3] },
  // The names are those of PyTorch's module list, in which pooling and nonlinearities count too (dropout only where it is used).
  layers: ({ input: [, , channels], classes }) => [
    { kind: 'conv2d', name: 'module_list.0', inputs: channels, outputs: 8, kernel: 5 },
    { kind: 'max-pool' },
    { kind: 'activation' },
    { kind: 'dropout' },
    { kind: 'conv2d', name: 'module_list.3', inputs: 8, outputs: 6, kernel: 5 },
    { kind: 'max-pool' },
    { kind: 'activation' },
    { kind: 'dropout' },
    { kind: 'conv2d', name: 'module_list.6', inputs: 6, outputs: 4, kernel: 2 },
    { kind: 'activation' },
    { kind: 'flatten' },
    { kind: 'linear', name: 'module_list.9', inputs: 36, outputs: 20 },
    { kind: 'activation' },
    { kind: 'dropout' },
    { kind: 'linear', name: 'module_list.11', inputs: 20, outputs: classes },
  ],
});
