import type { Row } from '../row.ts';
import { matrixProduct } from './matrix-product.ts';
import { saneEmbedding } from './sane-embedding.ts';
import { saneStep } from './sane-step.ts';

/** Every row, in the order in which they are measured and shown. */
export const rows: readonly Row[] = [
  saneStep(128, 'native', 2, 3),
  saneStep(256, 'native', 2, 1),
  saneStep(512, 'native', 2, 1),
  // At most three times PyTorch's time.
  saneStep(128, 'wasm', 1 / 3, 1),
  saneEmbedding,
  matrixProduct(1024, 20),
  matrixProduct(2048, 3),
];
