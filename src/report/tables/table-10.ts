/** Table 10: property prediction on the MNIST zoo from all token embeddings, and what was published in 2021. */
import { sequenceTable } from './sequence.ts';

export const table10 = sequenceTable(10, 'mnist', 'published in 2021 with another setup; not measured here');
