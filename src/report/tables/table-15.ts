/** Table 15: ResNet-34 for CIFAR-100 from a SANE of ResNet-18. */
import { largerArchitecture } from './transfer.ts';

export const table15 = largerArchitecture({
  id: 15,
  dataset: 'cifar-100',
  title: 'CIFAR-100',
  single: false,
});
