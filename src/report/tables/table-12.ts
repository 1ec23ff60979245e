/** Table 12: Table 10 for the CIFAR-10 zoo of small CNNs. */
import { sequenceTable } from './sequence.ts';

export const table12 = sequenceTable(12, 'cifar-10', 'not published in 2021 for this zoo');
