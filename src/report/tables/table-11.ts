/** Table 11: Table 10 for the SVHN zoo of small CNNs. */
import { sequenceTable } from './sequence.ts';

export const table11 = sequenceTable(11, 'svhn', 'not published in 2021 for this zoo');
