/** Table 17: Table 15 with a single prompt. */
import { largerArchitecture } from './transfer.ts';

export const table17 = largerArchitecture({ id: 17, dataset: 'cifar-100', title: 'CIFAR-100', single: true });
