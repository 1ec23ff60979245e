/** Table 16: ResNet-34 for Tiny-ImageNet from a SANE of ResNet-18 of CIFAR-100. */
import { largerArchitecture } from './transfer.ts';

export const table16 = largerArchitecture({
  ...{ id: 16, dataset: 'tiny-imagenet', title: 'CIFAR-100 to Tiny-ImageNet', single: false },
});
