import type { Architecture } from '../src/nets/architecture.ts';
import { sequential } from '../src/nets/sequential.ts';

/** The larger CNN of the paper's CIFAR-10 zoo (Schürholt et al. 2024, appendix): 10,853 parameters, 93 tokens of 289. */
export const cnnLarge: Architecture = sequential({
  name: 'cnn-large',
  description: 'three convolutions and two dense layers for 32x32 colour images, 10,853 parameters',
  input: [32, 32, 3],
  classes: 10,
  layers: [
    { kind: 'conv2d', name: 'module_list.0', inputs: 3, outputs: 16, kernel: 3 },
    { kind: 'max-pool' },
    { kind: 'activation' },
    { kind: 'conv2d', name: 'module_list.4', inputs: 16, outputs: 32, kernel: 3 },
    { kind: 'max-pool' },
    { kind: 'activation' },
    { kind: 'conv2d', name: 'module_list.8', inputs: 32, outputs: 15, kernel: 3 },
    { kind: 'max-pool' },
    { kind: 'activation' },
    { kind: 'flatten' },
    { kind: 'linear', name: 'module_list.13', inputs: 60, outputs: 20 },
    { kind: 'activation' },
    { kind: 'linear', name: 'module_list.16', inputs: 20, outputs: 10 },
  ],
});
